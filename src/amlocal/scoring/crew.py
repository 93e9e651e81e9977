"""Workers that share the mini batches of a job: who does what, what is tried again, and when it is given up."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable, Sequence
from multiprocessing.connection import wait
from pathlib import Path

from .errors import ScoringError
from .files import MiniBatch
from .outcome import Outcome
from .scorer import Result
from .settings import Places, Settings
from .worker import Broken, Ready, Task, Worker

_LOG = logging.getLogger("azureml")


class Crew:
    """As many processes as the job has workers, no more than it has mini batches."""

    def __init__(self, settings: Settings, places: Places) -> None:
        self._settings = settings
        self._places = places

    def run(self, batches: Sequence[MiniBatch], parts: Path, outcome: Outcome) -> None:
        """Score the mini batches and hand the results to `outcome`.

        Raises `ScoringError` when a worker cannot load its model, or when more files failed than may. No process is
        left either way.
        """
        tasks = deque(Task(batch, parts / str(batch.number)) for batch in batches)
        size = min(self._settings.workers, len(batches))
        workers = [Worker(self._settings, self._places) for _ in range(size)]
        try:
            while tasks or any(worker.task for worker in workers):
                _deal(tasks, workers)
                for worker in _heard(workers):
                    self._hear(worker, tasks, outcome)
                workers[:] = self._replaced(workers, tasks, outcome)
        finally:
            for worker in workers:
                worker.kill()

    def _hear(self, worker: Worker, tasks: deque[Task], outcome: Outcome) -> None:
        answer = worker.answer()
        if isinstance(answer, Ready):
            return
        task = worker.finish()
        if isinstance(answer, Result) and task is not None:
            outcome.add(task.batch, task.part, answer)
        elif isinstance(answer, Broken):
            if task is None:
                raise ScoringError(f"The model could not be loaded, or init() failed. {answer.reason}")
            self._failed(task, answer.reason, tasks, outcome)

    def _replaced(self, workers: list[Worker], tasks: deque[Task], outcome: Outcome) -> list[Worker]:
        """Return the workers, new ones in the place of those that ended or took too long."""
        for worker in workers:
            if worker.deadline is not None and worker.deadline <= time.monotonic():
                worker.kill()
                if task := worker.finish():
                    reason = f"run() took longer than the {self._settings.timeout_s:g} s that retry_settings allow"
                    self._failed(task, reason, tasks, outcome)
        return [worker if worker.alive or worker.task else self._new(worker) for worker in workers]

    def _new(self, ended: Worker) -> Worker:
        ended.kill()
        return Worker(self._settings, self._places)

    def _failed(self, task: Task, reason: str, tasks: deque[Task], outcome: Outcome) -> None:
        if task.attempt < self._settings.max_retries:
            _LOG.warning("mini batch %d failed, it is tried again: %s", task.batch.number, reason)
            tasks.appendleft(Task(task.batch, task.part, task.attempt + 1))
            return
        _LOG.error("mini batch %d failed after %d tries: %s", task.batch.number, task.attempt + 1, reason)
        outcome.add(task.batch, None, Result(0, {str(file): reason for file in task.batch.files}))


def _deal(tasks: deque[Task], workers: Iterable[Worker]) -> None:
    for worker in workers:
        if tasks and worker.idle:
            worker.begin(tasks.popleft())


def _heard(workers: Sequence[Worker]) -> list[Worker]:
    """Return the workers that have something to say, once one has or the time of one is up."""
    deadlines = [worker.deadline for worker in workers if worker.deadline is not None]
    pause = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
    ready = wait([worker.connection for worker in workers], pause)
    return [worker for worker in workers if worker.connection in ready]
