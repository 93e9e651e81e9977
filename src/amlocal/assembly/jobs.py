"""The jobs of a workspace: submission, queue, runner, history, and their start and stop."""

import asyncio
import os
from collections.abc import Callable, Mapping
from typing import Any

from amlocal.assembly.credentials import Credentials
from amlocal.assembly.stores import Stores
from amlocal.core.context import Context
from amlocal.core.decoding import text
from amlocal.core.documents import Document
from amlocal.core.errors import BadRequest
from amlocal.core.http import Json, Route
from amlocal.core.limits import check_run
from amlocal.core.uris import own_reference
from amlocal.jobs.logs import JobLogs
from amlocal.jobs.mlflow_sync import MlflowSync, RecordRun
from amlocal.jobs.outputs import OutputCollector
from amlocal.jobs.preparation import JobEnvironments, JobInputs, JobPreparation
from amlocal.jobs.process import LOCALE, machine_environ
from amlocal.jobs.routes import JobRoutes
from amlocal.jobs.run_history import HistoryRoutes, studio_routes
from amlocal.jobs.runner import JobQueue, JobRunner, recover
from amlocal.jobs.store import SERVERLESS, compute_name
from amlocal.jobs.submission import accept, check_kind
from amlocal.settings import Settings


class Jobs:
    """Runs the jobs of one workspace, from `start` to `stop`."""

    def __init__(
        self,
        context: Context,
        settings: Settings,
        stores: Stores,
        credentials: Credentials,
        *,
        record_run: RecordRun,
        client_environ: Mapping[str, str],
    ) -> None:
        self._context = context
        self._stores = stores
        self._lookup = stores.lookup()
        self._folder = settings.folder
        self._check: Callable[[Mapping[str, Any]], None] = _unchecked if settings.lenient else check_run
        self._tracked = MlflowSync(stores.jobs, record_run)
        self._logs = JobLogs(context, self._folder, stores.blobs, credentials.secrets.signing)
        self._collector = OutputCollector(stores.blobs, stores.datastores, stores.data, stores.models)
        environments = JobEnvironments(
            self._lookup, stores.blobs, cache=self._folder.environments, strict=settings.strict_environments
        )
        preparation = JobPreparation(
            context,
            JobInputs(self._lookup, stores.blobs),
            environments,
            machine={**machine_environ(os.environ), **LOCALE},
            client_environ=client_environ,
            make_token=credentials.job_token,
        )
        self._runner = JobRunner(context, self._folder, stores.jobs, preparation, self._collector)
        self._queue = JobQueue(stores.jobs, self._runner.run, stores.computes.capacity)

    async def start(self) -> None:
        """Take up where the last server ended."""
        await asyncio.to_thread(self._folder.jobs.mkdir, exist_ok=True)
        self._tracked.start()
        await recover(self._stores.jobs, self._queue, self._runner, self._folder)
        self._stores.computes.subscribe(self._queue.refill)

    async def stop(self) -> None:
        """End what runs; jobs that wait go on waiting."""
        await self._queue.stop()
        await self._tracked.stop()

    def routes(self) -> list[Route]:
        """Return the routes of jobs, run history and logs."""
        jobs, outputs = self._stores.jobs, self._stores.outputs
        return [
            *JobRoutes(self._context, jobs, self._queue, self.accept, self._collector.forget).routes(),
            *HistoryRoutes(self._context, jobs, outputs, self._logs, self._check).routes(),
            *self._logs.routes(),
            *studio_routes(),
        ]

    def submit(self, document: Document) -> None:
        """Queue a job that is kept already."""
        self._queue.submit(document)

    def cancel(self, name: str) -> None:
        """Ask a job to end."""
        self._queue.cancel(name)

    def accept(self, name: str, sent: dict[str, Json]) -> dict[str, Any]:
        """Return the properties of a new command job as they are kept. Raises `ApiError` for one that cannot run."""
        check_kind(sent)
        self._check(sent)
        compute = compute_name(own_reference(self._context.identity, text(sent, "computeId") or ""))
        if compute != SERVERLESS and self._stores.computes.get(compute) is None:
            raise BadRequest(f"Unknown compute target '{compute}'.")
        return accept(
            self._context,
            name,
            sent,
            check_environment=self._lookup.environment,
            check_input=self._lookup.check_input,
            check_code=self._lookup.code,
        )


def _unchecked(_: Mapping[str, Any]) -> None:
    """Take a job of any size."""
