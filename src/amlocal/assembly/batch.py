"""The batch endpoints of a workspace, over its jobs."""

from amlocal.assembly.jobs import Jobs
from amlocal.assembly.stores import Stores
from amlocal.batch.deployments import DeploymentRules, ModelEnvironments
from amlocal.batch.invoker import Invoker
from amlocal.batch.routes import BatchRoutes, CallRoutes
from amlocal.batch.status_sync import StatusSync
from amlocal.batch.store import BatchStore
from amlocal.core.context import Context
from amlocal.core.http import Route
from amlocal.core.operations import Operations
from amlocal.settings import Settings


class Batch:
    """Batch endpoints; `jobs` runs what they are called with."""

    def __init__(
        self, context: Context, settings: Settings, stores: Stores, jobs: Jobs, operations: Operations
    ) -> None:
        lookup, store = stores.lookup(), BatchStore(context)
        rules = DeploymentRules(
            here=context.identity,
            lookup=lookup,
            environments=ModelEnvironments(stores.blobs, stores.environments, lookup),
            has_compute=lambda name: stores.computes.get(name) is not None,
            lenient=settings.lenient,
        )
        invoker = Invoker(context, store, rules, stores.jobs, jobs.accept, jobs.submit, stores.has_file)
        self._status_sync = StatusSync(stores.jobs, jobs.cancel)
        self._arm = BatchRoutes(context, store, rules, operations)
        self._calls = CallRoutes(context, invoker, stores.jobs)

    def start(self) -> None:
        """Follow the jobs that run; before they do."""
        self._status_sync.start()

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [*self._arm.routes(), *self._calls.routes()]
