"""Keeps the MLflow run of each job in step with the job: same id, same end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from amlocal.core.context import from_azure_date
from amlocal.core.documents import Document
from amlocal.core.errors import ApiError
from amlocal.jobs.status import Status
from amlocal.jobs.store import JobStore, is_synced
from amlocal.tracking.errors import TrackingUnavailable
from amlocal.tracking.protocol import RunRecord, RunStatus

RecordRun = Callable[[RunRecord], Awaitable[None]]  # raises `ApiError`
PAUSE_S = 30.0  # before the next try when MLflow is down
_LOG = logging.getLogger("amlocal")
_ENDS: dict[Status, RunStatus] = {Status.COMPLETED: "FINISHED", Status.FAILED: "FAILED", Status.CANCELED: "KILLED"}


def run_record(document: Document) -> RunRecord:
    """Return a job's run as MLflow shall have it."""
    stored, properties = document.body, document.body["properties"]
    status, given = Status(stored["status"]), properties["properties"]
    tags = {
        **properties["tags"],
        "mlflow.source.name": properties.get("command", ""),
        "mlflow.source.type": "JOB",
        "mlflow.user": "amlocal user",
    }
    if commit := given.get("azureml.git.commit") or given.get("mlflow.source.git.commit"):
        tags["mlflow.source.git.commit"] = commit
    return RunRecord(
        run_id=document.name,
        experiment=properties["experimentName"],
        name=properties["displayName"],
        status=_ENDS.get(status, "SCHEDULED" if status.waiting else "RUNNING"),
        started=from_azure_date(stored["started"] or stored["created"]),
        ended=from_azure_date(stored["ended"]) if stored["ended"] else None,
        tags=tags,
    )


class MlflowSync:
    """Writes runs behind the jobs' backs: no job waits for MLflow, and none is forgotten when the server is killed."""

    def __init__(self, store: JobStore, record: RecordRun, *, pause_s: float = PAUSE_S) -> None:
        self._store = store
        self._record = record
        self._pause_s = pause_s
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Follow every change from now on, and bring up to date what the last server did not get to."""
        self._store.subscribe(self._sync)
        for name in self._store.unsynced():
            self._sync(name)

    async def stop(self) -> None:
        """Give up what is under way; the next start catches up."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _sync(self, name: str) -> None:
        """Bring a job's run up to date soon. One task a job does so, as often as the job changes meanwhile."""
        if name not in self._tasks:
            task = asyncio.get_running_loop().create_task(self._follow(name), name=f"run of job {name}")
            self._tasks[name] = task

    async def _follow(self, name: str) -> None:
        try:
            while (document := self._store.find(name)) and not is_synced(document):
                await self._write(document)
        finally:
            del self._tasks[name]

    async def _write(self, document: Document) -> None:
        try:
            await self._record(run_record(document))
        except TrackingUnavailable as error:
            _LOG.warning("the MLflow run of job %s is written later: %s", document.name, error)
            await asyncio.sleep(self._pause_s)
            return
        except ApiError as error:
            _LOG.error("the MLflow run of job %s is not up to date: %s", document.name, error)
        self._store.mark_synced(document.name, document.body["revision"])
