"""Workers that share the mini batches of a job: who does what, what is tried again, and when it is given up."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING

from .chatter import Chatter
from .errors import ScoringError
from .files import MiniBatch, display_name
from .outcome import Outcome
from .scorer import Result
from .settings import Settings
from .worker import Broken, Ready, Task, Worker

if TYPE_CHECKING:
    from .worker import Start

_LOG = logging.getLogger("azureml")
_ALWAYS = 4  # workers may run at once, however few CPUs there are


def crew_size(asked: int, batches: int, cpus: int) -> int:
    """Return how many workers there are: as many as are asked for, as long as each has work and the machine bears them.

    What is made for ten instances would otherwise load the model ten times and more on this one.
    """
    return min(asked, batches, max(_ALWAYS, cpus))


class Crew:
    """The workers of a job; `start` starts the process of one."""

    def __init__(self, settings: Settings, data: Path, chatter: Chatter, start: Start) -> None:
        self._settings = settings
        self._data = data
        self._chatter = chatter
        self._start = start

    def run(self, batches: Sequence[MiniBatch], parts: Path, outcome: Outcome) -> None:
        """Score the mini batches and hand the results to `outcome`.

        Raises `ScoringError` when a worker cannot load its model, when a mini batch takes too long however often it is
        tried, or when more files failed than may. No process is left either way.
        """
        tasks = deque(Task(batch, parts / str(batch.number)) for batch in batches)
        size = crew_size(self._settings.workers, len(batches), os.cpu_count() or 1)
        workers = [self._new() for _ in range(size)]
        try:
            while tasks or any(worker.task for worker in workers):
                _deal(tasks, workers)
                for worker in self._heard(workers):
                    self._hear(worker, tasks, outcome)
                self._replace(workers, tasks, outcome)
        finally:
            for worker in workers:
                worker.kill()
            self._chatter.close()

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

    def _heard(self, workers: Sequence[Worker]) -> list[Worker]:
        """Return the workers that have something to say, once one has, has printed, or has used up its time."""
        deadlines = [worker.deadline for worker in workers if worker.deadline is not None]
        pause = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
        ready = wait([self._chatter.reader, *(worker.connection for worker in workers)], pause)
        self._chatter.pass_on()  # before the answers, since that is the order in which things happened
        return [worker for worker in workers if worker.connection in ready]

    def _replace(self, workers: list[Worker], tasks: deque[Task], outcome: Outcome) -> None:
        """Put new workers in the place of those that ended or took too long."""
        for place, worker in enumerate(workers):
            if worker.deadline is not None and worker.deadline <= time.monotonic():
                worker.kill()
                if task := worker.finish():
                    reason = f"run() took longer than the {self._settings.timeout_s:g} s that retry_settings allow"
                    self._failed(replace(task, overran=task.overran + 1), reason, tasks, outcome)
            if not worker.alive and worker.task is None:
                worker.kill()
                workers[place] = self._new()

    def _new(self) -> Worker:
        return Worker(self._start, self._settings.timeout_s)

    def _failed(self, task: Task, reason: str, tasks: deque[Task], outcome: Outcome) -> None:
        tries = task.attempt + 1
        if tries <= self._settings.max_retries:
            _LOG.warning("mini batch %d failed, it is tried again: %s", task.batch.number, reason)
            tasks.appendleft(replace(task, attempt=tries))
            return
        _LOG.error("mini batch %d failed after %d tries: %s", task.batch.number, tries, reason)
        if task.overran == tries:  # such a job fails on Azure whatever its error_threshold
            raise ScoringError(f"The run() function had a timeout on each of {tries} tries of a mini batch: {reason}.")
        names = (display_name(file, self._data) for file in task.batch.files)
        outcome.add(task.batch, None, Result(0, dict.fromkeys(names, reason)))


def _deal(tasks: deque[Task], workers: Iterable[Worker]) -> None:
    for worker in workers:
        if tasks and worker.idle:
            worker.begin(tasks.popleft())
