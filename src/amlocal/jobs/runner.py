"""Runs jobs: a queue for each compute, each job from first step to last, and what a stopped server left."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from amlocal.core.context import Context
from amlocal.core.documents import Document
from amlocal.core.errors import AmlocalError
from amlocal.core.paths import WorkspaceFolder
from amlocal.jobs.distribution import write_plan
from amlocal.jobs.folder import LOG_FOLDER, JobFolder
from amlocal.jobs.outputs import OutputCollector
from amlocal.jobs.preparation import JobPreparation, PreparedJob
from amlocal.jobs.process import Sandbox, run_command, sandbox_warning, settle
from amlocal.jobs.status import (
    CANCELED,
    COMPLETED,
    STOPPED,
    JobOutcome,
    Status,
    error_outcome,
    exit_outcome,
    incomplete_outcome,
    run_error,
    timeout_outcome,
)
from amlocal.jobs.store import SERVERLESS, JobStore, compute_of

SERVERLESS_NODES = 2
RunJob = Callable[[str], Coroutine[None, None, None]]  # runs the job of that name to its end
Capacity = Callable[[str], int | None]  # compute -> how many jobs at once, None when there is no such compute
T = TypeVar("T")
_LOG = logging.getLogger("amlocal")


class JobQueue:
    """Starts jobs in the order of their submission. Lives on the event loop."""

    def __init__(self, store: JobStore, run: RunJob, capacity: Capacity) -> None:
        self._store = store
        self._run = run
        self._capacity = capacity
        self._waiting: dict[str, deque[str]] = {}
        self._running: dict[str, dict[str, asyncio.Task[None]]] = {}

    def submit(self, document: Document) -> None:
        """Queue a job; it starts at once when its compute has a free node."""
        compute = compute_of(document)
        self._waiting.setdefault(compute, deque()).append(document.name)
        self._fill(compute)
        if document.name in self._waiting[compute]:
            self._store.advance(document.name, Status.QUEUED)

    def cancel(self, name: str) -> None:
        """Ask a job to end. One that waits is canceled at once; one that has ended stays as it is."""
        for waiting in self._waiting.values():
            if name in waiting:
                waiting.remove(name)
                self._store.advance(name, Status.CANCELED)
                return
        if not self._store.advance(name, Status.CANCEL_REQUESTED):
            return
        for running in self._running.values():
            if name in running:
                running[name].cancel()

    def refill(self) -> None:
        """Look again at what may start: a compute has got more nodes, or is gone."""
        for compute in self._waiting:
            self._fill(compute)

    async def stop(self) -> None:
        """End every job that runs; those that wait keep waiting for the next start."""
        self._waiting.clear()
        tasks = [task for running in self._running.values() for task in running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _fill(self, compute: str) -> None:
        waiting, running = self._waiting[compute], self._running.setdefault(compute, {})
        nodes = SERVERLESS_NODES if compute == SERVERLESS else self._capacity(compute)
        while waiting and nodes is not None and len(running) < nodes:
            name = waiting.popleft()
            task = asyncio.get_running_loop().create_task(self._run(name), name=f"job {name}")
            running[name] = task
            task.add_done_callback(partial(self._ended, compute, name))
        while waiting and nodes is None:
            error = run_error(
                f"Unknown compute target '{compute}': it was deleted while the job waited.", code="UserError"
            )
            self._store.advance(waiting.popleft(), Status.FAILED, error=error)

    def _ended(self, compute: str, name: str, task: asyncio.Task[None]) -> None:
        # A callback, not a `finally` in the coroutine: a task cancelled before its first step never enters it. Such a
        # job was canceled, or else the server stops and the job waits for its next start.
        self._running[compute].pop(name)
        if task.cancelled() and self._store.status(name) == Status.CANCEL_REQUESTED:
            self._store.advance(name, Status.CANCELED)
        elif not task.cancelled() and (error := task.exception()):
            _LOG.error("job %s ended in a fault of amlocal", name, exc_info=error)
            self._store.advance(name, Status.FAILED, error=run_error(f"amlocal failed on this job: {error}"))
        if compute in self._waiting:
            self._fill(compute)


class JobRunner:
    """Runs jobs; `run` is what the queue starts."""

    def __init__(
        self,
        context: Context,
        folder: WorkspaceFolder,
        store: JobStore,
        preparation: JobPreparation,
        collector: OutputCollector,
    ) -> None:
        self._context = context
        self._folder = folder
        self._store = store
        self._preparation = preparation
        self._collector = collector

    async def run(self, name: str) -> None:
        """RunJob a job to its end; how it ended is in the store. To cancel this is to end the job."""
        folder = JobFolder(self._folder.jobs / name)
        ending = await self._execute(name, folder)
        # From here on the job only ends: a cancel comes too late.
        concluding = asyncio.create_task(self.finish(name, ending))
        await settle(concluding)
        concluding.result()

    async def finish(self, name: str, ending: JobOutcome) -> None:
        """Keep what an ended command left behind, write down how the job ended, clear its folder."""
        folder = JobFolder(self._folder.jobs / name)
        ending = await self._collect(name, folder, ending)
        kept = await in_thread(self._keep_log, name, folder, ending.message)
        self._end(name, ending)
        if kept:
            await in_thread(folder.remove)

    async def clean_up(self, name: str) -> None:
        """Clear a folder that another server left behind, once the log of a job that has ended is kept."""
        folder, document = JobFolder(self._folder.jobs / name), self._store.find(name)
        ended = document is not None and Status(document.body["status"]).ended
        if not ended or await in_thread(self._keep_log, name, folder):
            await in_thread(folder.remove)

    async def _execute(self, name: str, folder: JobFolder) -> JobOutcome:
        try:
            self._advance(name, Status.PREPARING)
            prepared = await self._prepare(name, folder)
            self._advance(name, Status.RUNNING)
            return await self._command(name, folder, prepared)
        except asyncio.CancelledError:
            return CANCELED if self._store.status(name) == Status.CANCEL_REQUESTED else STOPPED
        except (AmlocalError, OSError) as error:
            return error_outcome(error)

    def _advance(self, name: str, status: Status) -> None:
        if not self._store.advance(name, status):  # a cancel came in between
            raise asyncio.CancelledError

    async def _prepare(self, name: str, folder: JobFolder) -> PreparedJob:
        stop = threading.Event()
        document = self._store.get(name)
        preparing = in_thread(self._preparation.prepare, document, folder, stop)
        try:
            return await asyncio.shield(preparing)
        finally:
            # The thread must be out of the folder before anyone clears it.
            stop.set()
            await settle(preparing)

    async def _command(self, name: str, folder: JobFolder, prepared: PreparedJob) -> JobOutcome:
        if text := await asyncio.to_thread(sandbox_warning):
            folder.write_log(text, self._context.clock())
        sandbox = Sandbox(self._folder, folder.sandbox_paths)
        command, confine = prepared.command, sandbox.wrap
        if prepared.processes:
            command = await asyncio.to_thread(write_plan, folder, command, prepared.processes, confine)
            confine = _already_sandboxed
        try:
            code = await run_command(
                command,
                folder=folder.work,
                environ={**prepared.environ, **sandbox.environ(folder.temporary)},
                log=folder.log,
                timeout_s=prepared.timeout_s,
                confine=confine,
            )
        except TimeoutError:
            return timeout_outcome(self._store.get(name).body["properties"]["limits"]["timeout"])
        log = f"{LOG_FOLDER}/{(await asyncio.to_thread(folder.failed_log)).name}"
        return exit_outcome(code, await asyncio.to_thread(folder.error_line), log)

    async def _collect(self, name: str, folder: JobFolder, ending: JobOutcome) -> JobOutcome:
        """Keep the artifacts of any job and the outputs of one that completed; return how it ends after all."""
        completed = ending is COMPLETED and self._store.advance(name, Status.FINALIZING)
        write_log = folder.log_writer(self._context.clock)
        try:
            await in_thread(self._collector.artifacts, name, folder, write_log)
            if completed:
                specs = self._store.get(name).body["properties"]["outputs"]
                uploaded = await in_thread(self._collector.outputs, name, specs, folder, write_log)
                self._store.keep_outputs(name, specs | self._collector.register(name, uploaded))
        except (AmlocalError, OSError) as error:
            return error_outcome(error) if completed else incomplete_outcome(ending, error)
        return ending

    def _keep_log(self, name: str, folder: JobFolder, last_words: str = "") -> bool:
        try:
            if last_words:
                folder.write_log(last_words, self._context.clock())
            self._collector.log(name, folder)
        except (AmlocalError, OSError) as error:
            _LOG.error("the log of job %s could not be kept, it stays in %s: %s", name, folder.log, error)
            return False
        return True

    def _end(self, name: str, ending: JobOutcome) -> None:
        if ending.status == Status.CANCELED:
            warnings = [{"source": "amlocal", "message": ending.message}] if ending.message else []
            self._store.advance(name, Status.CANCELED, warnings=warnings)
        elif self._store.status(name) == Status.CANCEL_REQUESTED:
            self._store.advance(name, Status.CANCELED)
        elif ending.status == Status.FAILED:
            self._store.advance(name, Status.FAILED, error=run_error(ending.message, code=ending.code))
        else:
            self._store.advance(name, Status.COMPLETED)


def _already_sandboxed(command: Sequence[str]) -> tuple[str, ...]:
    """Return the command as it is: its processes are sandboxed one by one."""
    return tuple(command)


async def recover(store: JobStore, queue: JobQueue, runner: JobRunner, folder: WorkspaceFolder) -> None:
    """Queue again what had not begun; show what ran as failed, with the reason, and keep its log and artifacts."""
    unfinished = {document.name: document for document in store.unfinished()}
    for name, document in unfinished.items():
        status = Status(document.body["status"])
        if not status.waiting:
            await runner.finish(name, CANCELED if status == Status.CANCEL_REQUESTED else STOPPED)
    for path in await asyncio.to_thread(lambda: sorted(folder.jobs.iterdir())):
        await runner.clean_up(path.name)
    for document in unfinished.values():
        # A pipeline job is not run: it follows the job in it.
        if Status(document.body["status"]).waiting and document.body["properties"]["jobType"] == "Command":
            queue.submit(document)


def in_thread(function: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
    """Run a function in a thread of its own, for as long as it takes.

    `asyncio.to_thread` shares a few threads among all: minutes of building and copying there would hold up requests.
    """
    executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=function.__qualname__)
    work = asyncio.get_running_loop().run_in_executor(executor, function, *arguments)
    executor.shutdown(wait=False)  # the thread ends with its one task
    return work
