"""The workers of a batch job: which mini batch each scores, what is retried, their results and their printed output."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import shutil
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from .batch_job import BatchSettings, MiniBatch, MiniBatchResult, ScoringError, display_name
from .worker import MiniBatchTask, Worker, WorkerFailure, WorkerReady

_LOG = logging.getLogger("azureml")
_MIN_WORKERS = 4  # may run at once, however few CPUs there are
LIMIT_BYTES = 16 * 2**20  # of what workers print, a script may print without end
_PIECE = 2**16
if TYPE_CHECKING:
    from .worker import StartWorker


def pool_size(asked: int, batches: int, cpus: int) -> int:
    """Return how many workers there are: as many as are asked for, as long as each has work and the machine bears them.

    What is made for ten instances would otherwise load the model ten times and more on this one.
    """
    return min(asked, batches, max(_MIN_WORKERS, cpus))


class WorkerPool:
    """The workers of a job; `start` starts the process of one."""

    def __init__(self, settings: BatchSettings, data: Path, capture: OutputCapture, start: StartWorker) -> None:
        self._settings = settings
        self._data = data
        self._capture = capture
        self._start = start

    def run(self, batches: Sequence[MiniBatch], parts: Path, outcome: BatchOutcome) -> None:
        """Score the mini batches and hand the results to `outcome`.

        Raises `ScoringError` when a worker cannot load its model, when a mini batch takes too long however often it is
        tried, or when more files failed than may. No process is left either way.
        """
        tasks = deque(MiniBatchTask(batch, parts / str(batch.number)) for batch in batches)
        size = pool_size(self._settings.workers, len(batches), os.cpu_count() or 1)
        workers = [self._new() for _ in range(size)]
        try:
            while tasks or any(worker.task for worker in workers):
                _assign(tasks, workers)
                for worker in self._wait_for_workers(workers):
                    self._handle_answer(worker, tasks, outcome)
                self._replace(workers, tasks, outcome)
        finally:
            for worker in workers:
                worker.kill()
            self._capture.close()

    def _handle_answer(self, worker: Worker, tasks: deque[MiniBatchTask], outcome: BatchOutcome) -> None:
        answer = worker.answer()
        if isinstance(answer, WorkerReady):
            return
        task = worker.finish()
        if isinstance(answer, MiniBatchResult) and task is not None:
            outcome.add(task.batch, task.part, answer)
        elif isinstance(answer, WorkerFailure):
            if task is None:
                raise ScoringError(f"The model could not be loaded, or init() failed. {answer.reason}")
            self._retry_or_give_up(task, answer.reason, tasks, outcome)

    def _wait_for_workers(self, workers: Sequence[Worker]) -> list[Worker]:
        """Return the workers that have something to say, once one has, has printed, or has used up its time."""
        deadlines = [worker.deadline for worker in workers if worker.deadline is not None]
        pause = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
        ready = wait([self._capture.reader, *(worker.connection for worker in workers)], pause)
        self._capture.pass_on()  # before the answers, since that is the order in which things happened
        return [worker for worker in workers if worker.connection in ready]

    def _replace(self, workers: list[Worker], tasks: deque[MiniBatchTask], outcome: BatchOutcome) -> None:
        """Put new workers in the place of those that ended or took too long."""
        for place, worker in enumerate(workers):
            if worker.deadline is not None and worker.deadline <= time.monotonic():
                worker.kill()
                if task := worker.finish():
                    reason = f"run() took longer than the {self._settings.timeout_s:g} s that retry_settings allow"
                    self._retry_or_give_up(replace(task, overran=task.overran + 1), reason, tasks, outcome)
            if not worker.alive and worker.task is None:
                worker.kill()
                workers[place] = self._new()

    def _new(self) -> Worker:
        return Worker(self._start, self._settings.timeout_s)

    def _retry_or_give_up(
        self, task: MiniBatchTask, reason: str, tasks: deque[MiniBatchTask], outcome: BatchOutcome
    ) -> None:
        tries = task.attempt + 1
        if tries <= self._settings.max_retries:
            _LOG.warning("mini batch %d failed, it is tried again: %s", task.batch.number, reason)
            tasks.appendleft(replace(task, attempt=tries))
            return
        _LOG.error("mini batch %d failed after %d tries: %s", task.batch.number, tries, reason)
        if task.overran == tries:  # such a job fails on Azure whatever its error_threshold
            raise ScoringError(f"The run() function had a timeout on each of {tries} tries of a mini batch: {reason}.")
        names = (display_name(file, self._data) for file in task.batch.files)
        outcome.add(task.batch, None, MiniBatchResult(0, dict.fromkeys(names, reason)))


def _assign(tasks: deque[MiniBatchTask], workers: Iterable[Worker]) -> None:
    for worker in workers:
        if tasks and worker.idle:
            worker.begin(tasks.popleft())


def too_many(failed: int, threshold: int) -> bool:
    """Return whether a job ends because of the files that failed; a threshold of -1 lets any number fail."""
    return threshold >= 0 and failed > threshold


class BatchOutcome:
    """Takes results in any order and appends their lines in the order of the mini batches.

    `output` is None when rows are not kept.
    """

    def __init__(self, error_threshold: int, output: Path | None) -> None:
        self._error_threshold = error_threshold
        self._output = output
        self._next = 0
        self._waiting: dict[int, Path | None] = {}
        self._files = 0
        self._rows = 0
        self._failed: dict[str, str] = {}

    def add(self, batch: MiniBatch, part: Path | None, result: MiniBatchResult) -> None:
        """Take the result of a mini batch, whose lines are in `part`. Raises `ScoringError` when too many failed."""
        self._files += len(batch.files)
        self._rows += result.rows
        self._failed.update(result.failed)
        _LOG.info("mini batch %d: %d files, %d results", batch.number, len(batch.files), result.rows)
        if too_many(len(self._failed), self._error_threshold):
            raise ScoringError(
                f"{len(self._failed)} files failed, and error_threshold is {self._error_threshold}. "
                f"{self._first_failure()}"
            )
        self._waiting[batch.number] = part
        self._append()

    def summary(self) -> str:
        """Return what to say at the end."""
        return f"{self._files} files, {self._rows} results, {len(self._failed)} files failed"

    def check(self) -> None:
        """Raise `ScoringError` when nothing came of any file: such a job fails on Azure whatever its threshold."""
        if len(self._failed) >= self._files:
            raise ScoringError(f"There is no succeeded mini batch item returned from run(). {self._first_failure()}")

    def _first_failure(self) -> str:
        name, reason = next(iter(self._failed.items()))
        return f"The first: {name}: {reason}"

    def _append(self) -> None:
        while self._next in self._waiting:
            part = self._waiting.pop(self._next)
            self._next += 1
            if part is not None and self._output is not None:
                with part.open("rb") as lines, self._output.open("ab") as output:
                    shutil.copyfileobj(lines, output, 2**20)
                part.unlink()


class OutputCapture:
    """A pipe in place of the workers' standard streams, and what it has passed on of them.

    It is always read to its end, so that a worker never waits for room in it; beyond `limit` bytes nothing is kept.
    """

    def __init__(self, sink: BinaryIO, *, limit: int = LIMIT_BYTES) -> None:
        self._sink = sink
        self._left = self._limit = limit
        self._within_line = False
        self.reader, self.writer = multiprocessing.Pipe(duplex=False)
        os.set_blocking(self.reader.fileno(), False)

    def pass_on(self) -> None:
        """Write what was printed since to the sink. Does not wait for more."""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self.reader.fileno(), _PIECE):
                self._keep(piece)
        self._sink.flush()

    def close(self) -> None:
        """Pass on what is left, once no worker is; what comes next begins a line."""
        self.writer.close()
        self.pass_on()
        self.reader.close()
        if self._within_line:
            self._sink.write(b"\n")
            self._sink.flush()

    def _keep(self, piece: bytes) -> None:
        if not self._left:
            return
        self._sink.write(piece[: self._left])
        self._left = max(0, self._left - len(piece))
        self._within_line = bool(self._left) and not piece.endswith(b"\n")
        if not self._left:
            notice = f"\nWhat else the job prints is left out: the log keeps {self._limit:,} bytes of it.\n"
            self._sink.write(notice.encode())
