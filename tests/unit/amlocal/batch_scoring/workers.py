"""Workers in threads of this process, so that what a worker pool does can be seen without the price of processes."""

import contextlib
import os
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from amlocal.batch_scoring.batch_job import BatchPaths, BatchSettings
from amlocal.batch_scoring.worker import WorkerReady, serve

if TYPE_CHECKING:
    from amlocal.batch_scoring.worker import StartWorker

PLAIN = BatchSettings(
    mini_batch_size=2,
    workers=2,
    max_retries=0,
    timeout_s=60.0,
    error_threshold=-1,
    logging_level="info",
    output_file="predictions.csv",
    script="score.py",
)

Behaviour = Callable[[Connection], int]  # what a worker does at its end of the connection; returns its exit code


class ThreadedProcess:
    """A thread that is taken for a process. It cannot be killed, but ends when the other end of its connection does."""

    def __init__(self, behave: Behaviour, connection: Connection) -> None:
        self._behave = behave
        self._connection = Connection(os.dup(connection.fileno()))  # the parent closes its own copy
        self.exitcode: int | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        self.exitcode = self._behave(self._connection)
        self._connection.close()

    def is_alive(self) -> bool:
        return self.exitcode is None

    def kill(self) -> None:
        pass

    def join(self) -> None:
        pass


def serving(settings: BatchSettings, paths: BatchPaths) -> Behaviour:
    """Return the behaviour of a real worker."""

    def behave(connection: Connection) -> int:
        with contextlib.suppress(ConnectionError):  # the job is over, and a process would have been killed
            serve(connection, settings, paths)
        return 0

    return behave


def until_closed(connection: Connection) -> int:
    """Load, take tasks, answer none."""
    try:
        connection.send(WorkerReady())
        while True:
            connection.recv()
    except (EOFError, OSError):
        return -9


def leaving(code: int) -> Behaviour:
    """Return the behaviour of a worker that ends at its first task."""

    def behave(connection: Connection) -> int:
        connection.send(WorkerReady())
        connection.recv()
        return code

    return behave


def in_turn(*behaviours: Behaviour) -> "StartWorker":
    """Start workers that behave one after the other as listed, the last one for all that come later."""
    left = list(behaviours)

    def start(connection: Connection) -> ThreadedProcess:
        return ThreadedProcess(left.pop(0) if len(left) > 1 else left[0], connection)

    return start


def threads(settings: BatchSettings, paths: BatchPaths) -> "StartWorker":
    """Start real workers."""
    return partial(ThreadedProcess, serving(settings, paths))
