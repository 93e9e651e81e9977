"""The logs of a deployment: what its processes print, what amlocal says about them, and what it was made from.

What a process prints passes the server, which keeps the log from growing: into a file of its own, a process could
print without end.
"""

import asyncio
import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

LIMIT_BYTES = 16 * 2**20
"""A log keeps between this and twice as much: a script may print for ever, and must fill no disk."""

_TAIL_BYTES = 2**20
_FINAL_OUTPUT_S = 1.0


@dataclass(frozen=True, slots=True)
class DeploymentLog:
    """A file that is only added to, and the one before it, which is dropped when this one is full."""

    path: Path

    def add(self, content: bytes) -> None:
        """Add what a process printed. On a full disk it is lost: the deployment is worth more than its log."""
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as log:
                log.write(content)
                full = log.tell() >= LIMIT_BYTES
            if full:
                self.path.replace(self._older)

    def say(self, line: str, moment: datetime) -> None:
        """Add a line of amlocal's own."""
        self.add(f"[amlocal {moment:%Y-%m-%d %H:%M:%S}] {line}\n".encode(errors="replace"))

    def tail(self, lines: int) -> str:
        """Return the last lines, of at most a megabyte."""
        found = _end(self.path, _TAIL_BYTES)
        if len(found) < _TAIL_BYTES:
            found = _end(self._older, _TAIL_BYTES - len(found)) + found
        return "\n".join(found.decode(errors="replace").splitlines()[-lines:] if lines else [])

    def remove(self) -> None:
        """Remove it."""
        for path in (self.path, self._older):
            path.unlink(missing_ok=True)

    @property
    def _older(self) -> Path:
        return self.path.with_suffix(".older.txt")


def _end(path: Path, size: int) -> bytes:
    """Return the last bytes of a file, none when it is not there."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - size))
            return file.read(size)
    except FileNotFoundError:
        return b""


class _OutputPipe(asyncio.Protocol):
    """The server's end: `closed` when nobody can write to it any more."""

    def __init__(self, log: DeploymentLog) -> None:
        self._log = log
        self.closed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self._log.add(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.closed.set()


class ProcessOutput:
    """A pipe into a log; `writer` is the process's end."""

    def __init__(self, transport: asyncio.ReadTransport, pipe: _OutputPipe, writer: int) -> None:
        self._transport = transport
        self._pipe = pipe
        self._writer = writer

    @contextlib.contextmanager
    def writer(self) -> Iterator[int]:
        """Lend the process's end, as a file descriptor, to start the process with; it is closed here afterwards."""
        try:
            yield self._writer
        finally:
            os.close(self._writer)

    async def finish(self) -> None:
        """Take the last output of a process that has ended; what it left behind is not listened to any longer."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FINAL_OUTPUT_S):
                await self._pipe.closed.wait()
        self._transport.close()


async def capture_output(log: DeploymentLog) -> ProcessOutput:
    """Open a pipe into `log`."""
    reader, writer = os.pipe()
    loop = asyncio.get_running_loop()
    transport, pipe = await loop.connect_read_pipe(lambda: _OutputPipe(log), os.fdopen(reader, "rb", 0))
    return ProcessOutput(transport, pipe, writer)
