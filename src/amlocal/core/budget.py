"""How much memory the bodies of requests may take together."""

import asyncio
from collections import deque

from amlocal.core.errors import ApiError

BODIES = 128 * 2**20  # bytes
SMALL = 2**16
"""Bytes of a body that does not count: a connection may hold as many before anyone looks at them."""


class Busy(ApiError):
    """429: the bodies of others take all the room that there is."""

    retry_after_s = 1

    def __init__(self) -> None:
        message = "The server holds as many bytes of requests as it may. Send the request again in a moment."
        super().__init__(429, message, code="TooManyRequests")


class Budget:
    """A number of bytes, handed out in the order in which they were asked for. Used in the event loop's thread."""

    def __init__(self, size: int = BODIES, *, patience_s: float = 10.0) -> None:
        self.free = size
        self._patience_s = patience_s
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size: int) -> None:
        """Have `size` bytes, as soon as others give them back. Raises `Busy` after a while."""
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
                raise Busy from error
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
