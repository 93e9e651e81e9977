"""A workspace's stores in this process, and stand-ins for what runs jobs."""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from amlocal.assembly.stores import Stores, open_stores
from amlocal.blobs import BlobStore
from amlocal.core.context import Context, Identity
from amlocal.core.database import Database
from amlocal.core.documents import Document, Documents
from amlocal.core.errors import ApiError
from amlocal.core.paths import WorkspaceFolder
from amlocal.jobs.folder import JobFolder
from amlocal.jobs.status import Status
from amlocal.jobs.store import JobStore
from amlocal.jobs.submission import accept
from tests.unit.amlocal.blobs.wire import CountingIds, ManualClock

ORIGIN = "https://127.0.0.1:8443"
IDENTITY = Identity("sub", "group", "ws", "22222222-2222-2222-2222-222222222222")
ENVIRONMENT = "azureml:AzureML-sklearn:1"  # a curated one: always there


def submission(**changes: Any) -> dict[str, Any]:
    """Return what a client sends for a job that does nothing, with changes."""
    return {"jobType": "Command", "command": "true", "environmentId": ENVIRONMENT} | changes


def accepted(context: Context, name: str = "job", **changes: Any) -> dict[str, Any]:
    """Return a submission as it is kept; every reference in it is taken to exist."""
    return accept(
        context,
        name,
        submission(**changes),
        check_environment=lambda _: None,
        check_input=lambda _: None,
        check_code=lambda _: None,
    )


def refusal(context: Context, **changes: Any) -> ApiError | None:
    """Return why a submission with these changes is refused, None when it is not."""
    try:
        accepted(context, **changes)
    except ApiError as error:
        return error
    return None


@dataclass(frozen=True)
class JobWorkspace:
    """The stores of one workspace."""

    context: Context
    clock: ManualClock
    folder: WorkspaceFolder
    stores: Stores

    @property
    def jobs(self) -> JobStore:
        return self.stores.jobs

    @property
    def blobs(self) -> BlobStore:
        return self.stores.blobs

    def submit(self, name: str = "job", **changes: Any) -> Document:
        """Keep a new job; nothing runs it."""
        return self.jobs.create(name, accepted(self.context, name, **changes))

    def submit_in(self, status: Status, name: str = "job", **changes: Any) -> Document:
        """Keep a job that has come as far as `status`."""
        self.submit(name, **changes)
        for step in _WAYS[status]:
            assert self.jobs.advance(name, step)
        return self.jobs.get(name)

    def job_folder(self, name: str = "job") -> JobFolder:
        """Return a job's folder, made."""
        folder = JobFolder(self.folder.jobs / name)
        folder.create()
        return folder

    def artifact(self, path: str, name: str = "job") -> bytes | None:
        """Return the content of a job's artifact, None when it is not there."""
        blob = self.blobs.get("azureml", f"ExperimentRun/dcid.{name}/{path}")
        return None if blob is None else b"".join(self.blobs.read(blob))

    def put_data(self, path: str, content: bytes) -> str:
        """Write a blob into the default datastore; return its URI."""
        self.blobs.put_bytes(self.stores.datastores.default_container, path, content)
        return f"azureml://datastores/workspaceblobstore/paths/{path}"

    def data(self, path: str) -> bytes | None:
        """Return the content of a blob in the default datastore, None when it is not there."""
        blob = self.blobs.get(self.stores.datastores.default_container, path)
        return None if blob is None else b"".join(self.blobs.read(blob))


_WAYS: Mapping[Status, tuple[Status, ...]] = {
    Status.STARTING: (),
    Status.QUEUED: (Status.QUEUED,),
    Status.PREPARING: (Status.PREPARING,),
    Status.RUNNING: (Status.PREPARING, Status.RUNNING),
    Status.FINALIZING: (Status.PREPARING, Status.RUNNING, Status.FINALIZING),
    Status.CANCEL_REQUESTED: (Status.PREPARING, Status.CANCEL_REQUESTED),
    Status.COMPLETED: (Status.PREPARING, Status.RUNNING, Status.FINALIZING, Status.COMPLETED),
    Status.FAILED: (Status.PREPARING, Status.RUNNING, Status.FAILED),
    Status.CANCELED: (Status.CANCELED,),
}


@contextmanager
def open_job_workspace(root: Path) -> Iterator[JobWorkspace]:
    """Open the stores of a workspace below `root`."""
    folder, clock = WorkspaceFolder(root), ManualClock()
    folder.create()
    database = Database(folder.database)
    context = Context(IDENTITY, ORIGIN, Documents(database), clock, CountingIds())
    yield JobWorkspace(
        context, clock, folder, open_stores(context, BlobStore(folder.chunks, database, clock, CountingIds()))
    )
    database.close()


@contextmanager
def open_jobs() -> Iterator[tuple[Context, JobStore]]:
    """Open a job store of its own, for the many examples of a property."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder, "jobs.db"))
        context = Context(IDENTITY, ORIGIN, Documents(database), ManualClock(), CountingIds())
        yield context, JobStore(context)
        database.close()


@dataclass
class HeldRuns:
    """Stands in for the runner: a job runs until the test ends it, or until it is cancelled."""

    store: JobStore
    started: list[str] = field(default_factory=list)
    held: dict[str, asyncio.Event] = field(default_factory=dict)

    async def run(self, name: str) -> None:
        self.started.append(name)
        self.held[name] = asyncio.Event()
        self.store.advance(name, Status.PREPARING)
        self.store.advance(name, Status.RUNNING)
        try:
            await self.held[name].wait()
            self.store.advance(name, Status.FINALIZING)
            self.store.advance(name, Status.COMPLETED)
        except asyncio.CancelledError:
            canceled = self.store.status(name) == Status.CANCEL_REQUESTED
            self.store.advance(name, Status.CANCELED if canceled else Status.FAILED)
            raise
        finally:
            del self.held[name]


async def until(condition: Callable[[], object]) -> None:
    """Let other tasks run until the condition holds; fail after twenty seconds."""
    async with asyncio.timeout(20):
        for turn in count():
            if condition():
                return
            await asyncio.sleep(0 if turn < 100 else 0.005)  # what it waits for has no event; a process takes longer


async def settled() -> None:
    """Let every task that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end; an error that a task or a callback left behind fails the test."""
    faults: list[Mapping[str, Any]] = []

    async def watched() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        return await work

    result = asyncio.run(watched())
    assert faults == []
    return result
