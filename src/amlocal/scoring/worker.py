"""One process that scores mini batches, and the parent's handle on it."""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .chatter import speak_into
from .errors import reason_of
from .files import MiniBatch
from .scorer import Result, Scorer, load
from .settings import Places, Settings

# Forked where that is safe: what the parent has imported need not be imported again by every worker.
_PROCESSES: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


@dataclass(frozen=True)
class Ready:
    """The worker has loaded its model."""


@dataclass(frozen=True)
class Broken:
    """Loading, or a mini batch as a whole, failed; the traceback is in the log."""

    reason: str


@dataclass(frozen=True)
class Task:
    """A mini batch to be scored, for the `attempt`-th time (from 0); its lines go to `part`.

    `overran` counts the attempts that took too long.
    """

    batch: MiniBatch
    part: Path
    attempt: int = 0
    overran: int = 0


class Process(Protocol):
    """What is needed of a process."""

    @property
    def exitcode(self) -> int | None:
        """The exit code of one that has ended."""
        ...

    def is_alive(self) -> bool:
        """Tell whether it has not ended."""
        ...

    def kill(self) -> None:
        """End it, whatever it is doing."""
        ...

    def join(self) -> None:
        """Wait for its end."""
        ...


if TYPE_CHECKING:  # the forms of types that the oldest Pythons of environments do not have
    from collections.abc import Callable

    Answer = Ready | Broken | Result
    Start = Callable[[Connection], Process]  # starts a process that serves at the connection


def start_process(settings: Settings, places: Places, printed: Connection, connection: Connection) -> Process:
    """Start a worker's process; what it prints goes to `printed`."""
    process: Process = _PROCESSES.Process(target=_main, args=(connection, printed, settings, places), daemon=True)
    process.start()  # type: ignore[attr-defined] # only here
    return process


def _main(connection: Connection, printed: Connection, settings: Settings, places: Places) -> None:
    speak_into(printed)
    serve(connection, settings, places)


def serve(connection: Connection, settings: Settings, places: Places) -> None:
    """Load the model, then answer tasks until the other end closes."""
    try:
        scorer = load(settings, places)
    except Exception as error:  # noqa: BLE001 - whatever a model or a script raises as it loads ends the job
        traceback.print_exc()
        connection.send(Broken(reason_of(error)))
        return
    connection.send(Ready())
    while (task := _next(connection)) is not None:
        connection.send(_answer(scorer, task))


def _next(connection: Connection) -> Task | None:
    try:
        task: Task = connection.recv()
    except EOFError:
        return None
    return task


def _answer(scorer: Scorer, task: Task) -> Answer:
    try:
        return scorer.run(task.batch.files, task.part)
    except Exception as error:  # noqa: BLE001 - whatever a script raises is that mini batch's failure
        traceback.print_exc()
        return Broken(reason_of(error))


class Worker:
    """A process; it is loading its model at first, then has a task or is idle."""

    def __init__(self, start: Start, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self.connection, theirs = multiprocessing.Pipe()
        self._process = start(theirs)
        theirs.close()
        self.ready = False
        self.task: Task | None = None
        self.deadline: float | None = None

    @property
    def idle(self) -> bool:
        """Whether it can be given a task."""
        return self.ready and self.task is None

    def begin(self, task: Task) -> None:
        """Give it a task; the time that it may take runs from now."""
        self.task = task
        self.deadline = time.monotonic() + self._timeout_s
        with contextlib.suppress(ConnectionError):  # it has ended meanwhile, and that will be its answer
            self.connection.send(task)

    def answer(self) -> Answer:
        """Return what it sent. A process that ended instead is `Broken`, with the exit code."""
        try:
            answer: Answer = self.connection.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            return Broken(f"the process ended with exit code {self._process.exitcode}")
        self.ready = True
        return answer

    def finish(self) -> Task | None:
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
