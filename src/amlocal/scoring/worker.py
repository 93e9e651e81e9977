"""One process that scores mini batches, and the parent's handle on it."""

from __future__ import annotations

import multiprocessing
import sys
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from .files import MiniBatch
from .scorer import Result, load
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
    """A mini batch to be scored, for the `attempt`-th time (from 0); its lines go to `part`."""

    batch: MiniBatch
    part: Path
    attempt: int = 0


Answer = Ready | Broken | Result


def _serve(connection: Connection, settings: Settings, places: Places) -> None:
    """Answer tasks until the other end closes."""
    try:
        scorer = load(settings, places)
        connection.send(Ready())
        while True:
            task: Task = connection.recv()
            connection.send(_answer(scorer.run, task))
    except EOFError:
        return
    except Exception as error:  # noqa: BLE001 - whatever a model or a script raises as it loads ends the job
        traceback.print_exc()
        connection.send(Broken(f"{type(error).__name__}: {error}"))


def _answer(run: object, task: Task) -> Answer:
    try:
        return run(task.batch.files, task.part)  # type: ignore[operator, no-any-return]
    except Exception as error:  # noqa: BLE001 - whatever a script raises is that mini batch's failure
        traceback.print_exc()
        return Broken(f"{type(error).__name__}: {error}")


class Worker:
    """A process; it is loading its model at first, then has a task or is idle."""

    def __init__(self, settings: Settings, places: Places) -> None:
        self._timeout_s = settings.timeout_s
        self.connection, theirs = _PROCESSES.Pipe()
        self._process = _PROCESSES.Process(target=_serve, args=(theirs, settings, places), daemon=True)
        self._process.start()
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
        self.connection.send(task)

    def answer(self) -> Answer:
        """Return what it sent. A process that ended instead is `Broken`, with the exit code."""
        try:
            answer: Answer = self.connection.recv()
        except EOFError:
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
