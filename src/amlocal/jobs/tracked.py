"""Keeps the MLflow run of each job in step with the job: same id, same end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from amlocal.core.documents import Document
from amlocal.core.wire import from_azure_date
from amlocal.jobs.states import Status
from amlocal.jobs.store import JobStore
from amlocal.tracking.runs import RunRecord, RunStatus

Record = Callable[[RunRecord], Awaitable[None]]

_LOG = logging.getLogger("amlocal")
_MLFLOW: dict[Status, RunStatus] = {Status.COMPLETED: "FINISHED", Status.FAILED: "FAILED", Status.CANCELED: "KILLED"}


def run_record(document: Document) -> RunRecord:
    """Return a job's run as MLflow shall have it."""
    stored, properties = document.body, document.body["properties"]
    status = Status(stored["status"])
    tags = properties["tags"] | {
        "mlflow.source.name": properties["command"],
        "mlflow.source.type": "JOB",
        "mlflow.user": "amlocal user",
    }
    commit = properties["properties"].get("azureml.git.commit") or properties["properties"].get(
        "mlflow.source.git.commit"
    )
    return RunRecord(
        run_id=document.name,
        experiment=properties["experimentName"],
        name=properties["displayName"],
        status=_MLFLOW.get(status, "RUNNING"),
        started=_moment(stored["started"] or stored["created"]),
        ended=_moment(stored["ended"]) if stored["ended"] else None,
        tags=tags | ({"mlflow.source.git.commit": commit} if commit else {}),
    )


def _moment(text: str) -> datetime:
    return from_azure_date(text)


class TrackedRuns:
    """Writes runs behind the jobs' backs: no job waits for MLflow, and none is forgotten when the server is killed."""

    def __init__(self, store: JobStore, record: Record) -> None:
        self._store = store
        self._record = record
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def sync(self, name: str) -> None:
        """Bring a job's run up to date soon; a later call for the same job waits for the earlier one."""
        earlier = self._tasks.get(name)
        task = asyncio.get_running_loop().create_task(self._sync(name, earlier), name=f"run of job {name}")
        self._tasks[name] = task
        task.add_done_callback(lambda done: self._done(name, done))

    def catch_up(self) -> None:
        """Bring up to date what the last server did not get to."""
        for document in self._store.list():
            if document.body.get("tracked") != document.body["status"]:
                self.sync(document.name)

    async def stop(self) -> None:
        """Give up what is under way; the next start catches up."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _sync(self, name: str, earlier: "asyncio.Task[None] | None") -> None:
        if earlier is not None:
            await asyncio.wait([earlier])
        document = self._store.find(name)
        if document is None:
            return
        await self._record(run_record(document))
        self._store.note(name, tracked=document.body["status"])

    def _done(self, name: str, task: asyncio.Task[Any]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]
        if not task.cancelled() and (error := task.exception()):
            _LOG.error("the MLflow run of job %s is not up to date: %s", name, error)
