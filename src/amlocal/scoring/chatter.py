"""What workers print: it goes to the job's log, up to a limit, since a script may print without end."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sys
from multiprocessing.connection import Connection
from typing import BinaryIO

LIMIT_BYTES = 16 * 2**20
_PIECE = 2**16


class Chatter:
    """A pipe that stands for the standard streams of workers, and what it has passed on of them.

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


def speak_into(writer: Connection) -> None:
    """Make a pipe the standard streams of this process, line by line, so that nothing is lost when it is killed."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(writer.fileno(), stream.fileno())
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr] # a text file, as the driver's are
