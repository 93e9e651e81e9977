"""What is written to a connection in one turn of the event loop leaves together.

An answer's head and its body, or the requests that a process gets at the same time, would each be a system call, and
over TLS a record, of its own: these cost more than anything else that the server does for a small request.
"""

import asyncio
from typing import Any

LARGE = 2**16
"""Bytes that wait for the end of the turn at most: beyond, the transport's own flow control must be asked."""


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
