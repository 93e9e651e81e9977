"""Bytes on their way in and out: how much memory bodies take together, and writes that leave together.

An answer's head and its body, or the requests that a process gets at the same time, would each be a system call, and
over TLS a record, of its own: these cost more than anything else that the server does for a small request.
"""

import asyncio
from collections import deque
from typing import Any

from amlocal.core.errors import ApiError

BODIES = 128 * 2**20  # bytes
SMALL = 2**16
"""Bytes of a body that does not count: a connection may hold as many before anyone looks at them."""

LARGE = 2**16
"""Bytes that wait for the end of the turn at most: beyond, the transport's own flow control must be asked."""


class ServerBusy(ApiError):
    """429: the bodies of others take all the room that there is."""

    retry_after_s = 1

    def __init__(self) -> None:
        message = "The server holds as many bytes of requests as it may. Send the request again in a moment."
        super().__init__(429, message, code="TooManyRequests")


class ByteBudget:
    """A number of bytes, handed out in the order in which they were asked for. Used in the event loop's thread."""

    def __init__(self, size: int = BODIES, *, patience_s: float = 10.0) -> None:
        self.free = size
        self._patience_s = patience_s
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size: int) -> None:
        """Have `size` bytes, as soon as others give them back. Raises `ServerBusy` after a while."""
        if size <= self.free and not self._waiting:
            self.free -= size
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (size, turn)
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(self._patience_s):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self.free += size  # it came just as the caller went
            elif entry in self._waiting:  # not, when its turn came between the time-out and this line
                self._waiting.remove(entry)
            self._serve()
            if isinstance(error, TimeoutError):
                raise ServerBusy from error
            raise

    def give(self, size: int) -> None:
        """Give `size` bytes back."""
        self.free += size
        self._serve()

    def _serve(self) -> None:
        while self._waiting and self._waiting[0][0] <= self.free:
            size, turn = self._waiting.popleft()
            if not turn.done():
                self.free -= size
                turn.set_result(None)


class JoinedWrites:
    """A transport in front of another. Made and used in the event loop's thread."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._waiting: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        """Everything but writing is the other transport's."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send `data` before this turn of the event loop ends, after what was written before it."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._send)
        self._waiting.append(data)
        self._size += len(data)
        if self._size > LARGE:
            self._send()

    def close(self) -> None:
        """Send what was written, and close."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._waiting and not self._transport.is_closing():
            self._transport.write(b"".join(self._waiting))
        self._waiting.clear()
        self._size = 0
