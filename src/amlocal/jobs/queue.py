"""Which jobs run now: a queue for each compute, as many at once as it has nodes."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial

from amlocal.core.documents import Document
from amlocal.jobs.failure import fault
from amlocal.jobs.states import Status
from amlocal.jobs.store import JobStore

SERVERLESS = ""  # the queue of jobs that name no compute
SERVERLESS_NODES = 2

Run = Callable[[str], Coroutine[None, None, None]]  # runs the job of that name to its end
Capacity = Callable[[str], int | None]  # compute -> how many jobs at once, None when there is no such compute

_LOG = logging.getLogger("amlocal")


def compute_of(document: Document) -> str:
    """Return the name of a job's compute, `SERVERLESS` when it names none."""
    return compute_name(document.body["properties"].get("computeId"))


def compute_name(reference: str | None) -> str:
    """Return the name in a reference to a compute, `SERVERLESS` for none."""
    return (reference or SERVERLESS).rstrip("/").rpartition("/")[2].removeprefix("azureml:")


class JobQueue:
    """Starts jobs in the order of their submission. Lives on the event loop."""

    def __init__(self, store: JobStore, run: Run, capacity: Capacity) -> None:
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
            error = fault(f"Unknown compute target '{compute}': it was deleted while the job waited.", code="UserError")
            self._store.advance(waiting.popleft(), Status.FAILED, error=error)

    def _ended(self, compute: str, name: str, task: asyncio.Task[None]) -> None:
        # A callback, not a `finally` in the coroutine: a task cancelled before its first step never enters it. Such a
        # job was canceled, or else the server stops and the job waits for its next start.
        self._running[compute].pop(name)
        if task.cancelled() and self._store.status(name) == Status.CANCEL_REQUESTED:
            self._store.advance(name, Status.CANCELED)
        elif not task.cancelled() and (error := task.exception()):
            _LOG.error("job %s ended in a fault of amlocal", name, exc_info=error)
            self._store.advance(name, Status.FAILED, error=fault(f"amlocal failed on this job: {error}"))
        if compute in self._waiting:
            self._fill(compute)
