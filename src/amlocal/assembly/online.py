"""The online endpoints of a workspace: their ARM routes, deployments and router, and their start and stop."""

import os
import random
from functools import partial

from amlocal.assembly.credentials import Credentials, check_caller
from amlocal.assembly.stores import Stores
from amlocal.core.context import Context
from amlocal.core.http import Route
from amlocal.core.operations import Operations
from amlocal.jobs.preparation import JobEnvironments, JobInputs
from amlocal.jobs.process import LOCALE, Sandbox, machine_environ
from amlocal.online.deployment_build import BuildSettings, DeploymentBuilder
from amlocal.online.deployment_manager import DeploymentManager
from amlocal.online.deployment_routes import DeploymentRoutes
from amlocal.online.endpoint_routes import EndpointRoutes
from amlocal.online.operation_responses import OperationResponses, ResourceBodies
from amlocal.online.rollouts import Rollouts
from amlocal.online.router import EndpointAuth, ScoringRouter
from amlocal.online.store import OnlineStore
from amlocal.settings import Settings


class Online:
    """Serves the online endpoints of one workspace, from `start` to `stop`."""

    def __init__(
        self,
        context: Context,
        settings: Settings,
        stores: Stores,
        operations: Operations,
        credentials: Credentials,
    ) -> None:
        self._context = context
        self._store = OnlineStore(context)
        self._operations = operations
        self._auth = EndpointAuth(credentials.secrets.signing, context.clock, partial(check_caller, credentials.tokens))
        lookup = stores.lookup()
        cache, strict = settings.folder.environments, settings.strict_environments
        self._builder = DeploymentBuilder(
            lookup,
            stores.blobs,
            BuildSettings(
                cache=cache,
                strict=strict,
                lenient=settings.lenient,
                prepare_environment=JobEnvironments(lookup, stores.blobs, cache=cache, strict=strict).prepare,
                fetch_code=JobInputs(lookup, stores.blobs).fetch_code,
                machine={**machine_environ(os.environ), **LOCALE},
                confine=lambda version: Sandbox(settings.folder, (version,)),
            ),
        )
        self._manager = DeploymentManager(settings.folder.root / "online", self._builder, context.clock, context.ids)
        self._rollouts = Rollouts(self._store, operations, self._manager)

    async def start(self) -> None:
        """Have what served serve again."""
        await self._rollouts.start()

    async def stop(self) -> None:
        """End every deployment's processes."""
        await self._rollouts.stop()

    def routes(self) -> list[Route]:
        """Return the routes of endpoints, deployments and scoring."""
        responses = OperationResponses(
            self._context,
            self._store,
            ResourceBodies(self._context, self._operations),
            self._operations,
            self._rollouts,
        )
        scoring = ScoringRouter(self._store, self._manager, self._auth, self._context.ids, random.Random())  # noqa: S311 - no secret
        return [
            *scoring.routes(),
            *EndpointRoutes(responses, self._auth).routes(),
            *DeploymentRoutes(responses, self._builder, self._manager).routes(),
        ]
