"""A queue and a runner over a workspace, with a preparation that a test scripts."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from amlocal.core.documents import Document
from amlocal.jobs.folder import JobFolder
from amlocal.jobs.outputs import OutputCollector
from amlocal.jobs.preparation import JobPreparation, PreparedJob
from amlocal.jobs.runner import JobQueue, JobRunner
from amlocal.jobs.status import Status
from tests.unit.amlocal.jobs.workspace import JobWorkspace, until

ENVIRON = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
Prepare = Callable[[Document, JobFolder, threading.Event], PreparedJob]


def prepared(job: Document, folder: JobFolder, stop: threading.Event) -> PreparedJob:
    """Prepare a job that needs nothing but its folder."""
    folder.create()
    for name in job.body["properties"]["outputs"]:
        (folder.outputs / name).mkdir()
    limits = job.body["properties"]["limits"] or {}
    timeout_s = float(limits["timeout"].removeprefix("PT").removesuffix("S")) if limits else None
    return PreparedJob(job.body["properties"]["command"], ENVIRON, timeout_s)


class Scripted(JobPreparation):
    """A preparation that is what a test says."""

    def __init__(self, script: Prepare) -> None:
        self._script = script

    def prepare(self, job: Document, folder: JobFolder, stop: threading.Event) -> PreparedJob:
        return self._script(job, folder, stop)


@dataclass
class Running:
    """A workspace whose jobs run. `seen` are the statuses that a job went through."""

    workspace: JobWorkspace
    prepare: Prepare = prepared
    collector: OutputCollector = field(init=False)
    runner: JobRunner = field(init=False)
    queue: JobQueue = field(init=False)
    seen: list[Status] = field(default_factory=list)

    def __post_init__(self) -> None:
        workspace, stores = self.workspace, self.workspace.stores
        self.collector = OutputCollector(workspace.blobs, stores.datastores, stores.data, stores.models)
        self.runner = JobRunner(
            workspace.context, workspace.folder, workspace.jobs, Scripted(self.prepare), self.collector
        )
        self.queue = JobQueue(workspace.jobs, self.runner.run, lambda _: 1)
        workspace.jobs.subscribe(self._note)

    def _note(self, name: str) -> None:
        status = self.workspace.jobs.status(name)
        if self.seen[-1:] != [status]:
            self.seen.append(status)

    def log(self) -> str:
        """Return what the job has printed so far."""
        path = JobFolder(self.workspace.folder.jobs / "job").log
        return path.read_text() if path.exists() else ""

    async def printed(self, text: str) -> None:
        """Wait until the job has printed a text."""
        await until(lambda: text in self.log())

    async def ended(self) -> None:
        """Wait until the job has ended and its folder is gone."""
        folder = self.workspace.folder.jobs / "job"
        await until(lambda: self.workspace.jobs.status("job").ended and not folder.exists())

    @property
    def error(self) -> dict[str, str]:
        """Why the job failed."""
        found: dict[str, str] = self.workspace.jobs.get("job").body["error"]["error"]
        return found

    @property
    def kept_log(self) -> str:
        """The log as it was kept."""
        return (self.workspace.artifact("user_logs/std_log.txt") or b"").decode()
