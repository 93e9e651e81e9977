"""One process that scores mini batches, and the parent's handle on it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .batch_job import BatchPaths, BatchSettings, MiniBatch, MiniBatchResult, Scorer, reason_of

# Forked where that is safe: what the parent has imported need not be imported again by every worker.
_PROCESSES: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


@dataclass(frozen=True)
class WorkerReady:
    """The worker has loaded its model."""


@dataclass(frozen=True)
class WorkerFailure:
    """Loading, or a mini batch as a whole, failed; the traceback is in the log."""

    reason: str


@dataclass(frozen=True)
class MiniBatchTask:
    """A mini batch to be scored, for the `attempt`-th time (from 0); its lines go to `part`.

    `overran` counts the attempts that took too long.
    """

    batch: MiniBatch
    part: Path
    attempt: int = 0
    overran: int = 0


class WorkerProcess(Protocol):
    """What is needed of a process."""

    @property
    def exitcode(self) -> int | None:
        """The exit code of one that has ended."""
        ...

    def is_alive(self) -> bool:
        """Return whether it has not ended."""
        ...

    def kill(self) -> None:
        """End it, whatever it is doing."""
        ...

    def join(self) -> None:
        """Wait for its end."""
        ...


if TYPE_CHECKING:  # the forms of types that the oldest Pythons of environments do not have
    from collections.abc import Callable

    WorkerAnswer = WorkerReady | WorkerFailure | MiniBatchResult
    StartWorker = Callable[[Connection], WorkerProcess]  # starts a process that serves at the connection


def start_process(
    settings: BatchSettings, paths: BatchPaths, printed: Connection, connection: Connection
) -> WorkerProcess:
    """Start a worker's process; what it prints goes to `printed`."""
    process: WorkerProcess = _PROCESSES.Process(target=_main, args=(connection, printed, settings, paths), daemon=True)
    process.start()  # type: ignore[attr-defined] # only here
    return process


def _main(connection: Connection, printed: Connection, settings: BatchSettings, paths: BatchPaths) -> None:
    redirect_output(printed)
    serve(connection, settings, paths)


def serve(connection: Connection, settings: BatchSettings, paths: BatchPaths) -> None:
    """Load the model, then answer tasks until the other end closes."""
    try:
        scorer = load(settings, paths)
    except Exception as error:  # noqa: BLE001 - whatever a model or a script raises as it loads ends the job
        traceback.print_exc()
        connection.send(WorkerFailure(reason_of(error)))
        return
    connection.send(WorkerReady())
    while (task := _next(connection)) is not None:
        connection.send(_answer(scorer, task))


def _next(connection: Connection) -> MiniBatchTask | None:
    try:
        task: MiniBatchTask = connection.recv()
    except EOFError:
        return None
    return task


def _answer(scorer: Scorer, task: MiniBatchTask) -> WorkerAnswer:
    try:
        return scorer.run(task.batch.files, task.part)
    except Exception as error:  # noqa: BLE001 - whatever a script raises is that mini batch's failure
        traceback.print_exc()
        return WorkerFailure(reason_of(error))


class Worker:
    """A process; it is loading its model at first, then has a task or is idle."""

    def __init__(self, start: StartWorker, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self.connection, theirs = multiprocessing.Pipe()
        self._process = start(theirs)
        theirs.close()
        self.ready = False
        self.task: MiniBatchTask | None = None
        self.deadline: float | None = None

    @property
    def idle(self) -> bool:
        """Whether it can be given a task."""
        return self.ready and self.task is None

    def begin(self, task: MiniBatchTask) -> None:
        """Give it a task; the time that it may take runs from now."""
        self.task = task
        self.deadline = time.monotonic() + self._timeout_s
        with contextlib.suppress(ConnectionError):  # it has ended meanwhile, and that will be its answer
            self.connection.send(task)

    def answer(self) -> WorkerAnswer:
        """Return what it sent. A process that ended instead is `WorkerFailure`, with the exit code."""
        try:
            answer: WorkerAnswer = self.connection.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            return WorkerFailure(f"the process ended with exit code {self._process.exitcode}")
        self.ready = True
        return answer

    def finish(self) -> MiniBatchTask | None:
        """Take its task from it."""
        task, self.task, self.deadline = self.task, None, None
        return task

    @property
    def alive(self) -> bool:
        """Whether the process can take another task."""
        return self._process.is_alive() and not self.connection.closed

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.join()
        self.connection.close()


def load(settings: BatchSettings, paths: BatchPaths) -> Scorer:
    """Return the scorer of a job, its model loaded; a script's `init` has been called. Raises what that raises."""
    # Here, since a scoring script's environment need not have MLflow, nor a model's one what a script needs.
    if settings.script is None:
        from .mlflow_scorer import MlflowScorer  # noqa: PLC0415

        return MlflowScorer.load(paths, keep_rows=settings.output_file is not None)
    from .script_scorer import ScriptScorer  # noqa: PLC0415

    return ScriptScorer.load(
        Path(settings.script),
        paths.data,
        logging_level=settings.logging_level,
        keep_rows=settings.output_file is not None,
    )


def redirect_output(writer: Connection) -> None:
    """Make a pipe the standard streams of this process, line by line, so that nothing is lost when it is killed."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(writer.fileno(), stream.fileno())
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr] # a text file, as the driver's are
