"""What a process prints, on its way into the log of its deployment.

It passes the server, which keeps the log from growing: into a file of its own, a process could print without end.
"""

import asyncio
import contextlib
import os
from collections.abc import Iterator

from amlocal.online.logs import DeploymentLog

_LAST_WORDS_S = 1.0


class _Pipe(asyncio.Protocol):
    """The server's end: `closed` when nobody can write to it any more."""

    def __init__(self, log: DeploymentLog) -> None:
        self._log = log
        self.closed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self._log.add(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.closed.set()


class Output:
    """A pipe into a log; `writer` is the process's end."""

    def __init__(self, transport: asyncio.ReadTransport, pipe: _Pipe, writer: int) -> None:
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
        """Take the last words of a process that has ended; what it left behind is not listened to any longer."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await self._pipe.closed.wait()
        self._transport.close()


async def listen(log: DeploymentLog) -> Output:
    """Open a pipe into `log`."""
    reader, writer = os.pipe()
    loop = asyncio.get_running_loop()
    transport, pipe = await loop.connect_read_pipe(lambda: _Pipe(log), os.fdopen(reader, "rb", 0))
    return Output(transport, pipe, writer)
