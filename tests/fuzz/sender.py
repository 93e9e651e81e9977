"""Sends requests over a few connections that stay open, and keeps what should never have come back."""

import asyncio
import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.fuzz.strategies import Request

_CONNECTIONS = 8
_PATIENCE_S = 30.0
# Not faults: what is not served here, and a full disk.
_MEANT = (501, 507)
_NO_BODY = (204, 304)
_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class Findings:
    """What came back. `faults` has one request of each kind: its method, its route, what went wrong."""

    sent: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    faults: dict[tuple[str, str, str], tuple[Request, str]] = field(default_factory=dict)
    slowest_s: float = 0.0
    slowest: Request | None = None

    def note(self, request: Request, status: int, body: bytes, took_s: float) -> None:
        """Count an answer."""
        self.sent += 1
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if took_s > self.slowest_s:
            self.slowest_s, self.slowest = took_s, request
        if status >= 500 and status not in _MEANT:
            self.fault(request, str(status), body.decode(errors="replace")[:600])

    def fault(self, request: Request, kind: str, detail: str) -> None:
        """Keep a request that should have been answered otherwise."""
        self.faults.setdefault((request.method, request.route, kind), (request, detail))


class Sender:
    """An event loop in a thread with connections to one server."""

    def __init__(self, origin: str, trust: ssl.SSLContext) -> None:
        address = urlsplit(origin)
        self._host, self._port, self._trust = address.hostname or "", address.port or 443, trust
        self.findings = Findings()
        self._loop = asyncio.new_event_loop()
        self._free: list[_Connection | None] = [None] * _CONNECTIONS
        self._waiting: asyncio.Queue[Request] = asyncio.Queue(4 * _CONNECTIONS)
        self._workers: list[asyncio.Task[None]] = []
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def send(self, batch: Sequence[Request]) -> None:
        """Have requests sent over the next free connections; wait only while too many others wait."""
        asyncio.run_coroutine_threadsafe(self._put(batch), self._loop).result()

    def wait(self) -> None:
        """Wait for all answers."""
        asyncio.run_coroutine_threadsafe(self._waiting.join(), self._loop).result()

    def close(self) -> None:
        """Close the connections."""

        async def close() -> None:
            for worker in self._workers:
                worker.cancel()
            for connection in filter(None, self._free):
                connection[1].close()
            await asyncio.sleep(0.1)

        asyncio.run_coroutine_threadsafe(close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _put(self, batch: Sequence[Request]) -> None:
        if not self._workers:
            self._workers = [asyncio.create_task(self._work(place)) for place in range(_CONNECTIONS)]
        for request in batch:
            await self._waiting.put(request)

    async def _work(self, place: int) -> None:
        while True:
            request = await self._waiting.get()
            await self._one(place, request)
            self._waiting.task_done()

    async def _one(self, place: int, request: Request) -> None:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                status, body = await self._exchange(place, request)
        except TimeoutError:
            self.findings.fault(request, "no answer", f"none within {_PATIENCE_S:.0f} s")
            self._drop(place)
        except (OSError, asyncio.IncompleteReadError, ValueError, IndexError) as error:
            self.findings.fault(request, "broken answer", repr(error))
            self._drop(place)
        else:
            self.findings.note(request, status, body, time.perf_counter() - started)

    def _drop(self, place: int) -> None:
        if connection := self._free[place]:
            connection[1].close()
        self._free[place] = None

    async def _exchange(self, place: int, request: Request) -> tuple[int, bytes]:
        """Return status and body; a connection that the server had closed before the request is opened anew."""
        content = _bytes(request)
        kept = self._free[place]
        if kept is not None:
            try:
                return await self._over(place, kept, request, content)
            except (ConnectionError, asyncio.IncompleteReadError):
                self._drop(place)
        fresh = await asyncio.open_connection(self._host, self._port, ssl=self._trust)
        self._free[place] = fresh
        return await self._over(place, fresh, request, content)

    async def _over(self, place: int, connection: _Connection, request: Request, content: bytes) -> tuple[int, bytes]:
        reader, writer = connection
        writer.write(content)
        status, headers = await _head(reader)
        body = await _body(reader, request.method, status, headers)
        if headers.get("connection") == "close":
            self._drop(place)
        return status, body


def _bytes(request: Request) -> bytes:
    lines = [request.method.encode() + b" " + request.target + b" HTTP/1.1"]
    if all(name != "host" for name, _ in request.headers):
        lines.append(b"Host: 127.0.0.1")
    lines += [name.encode() + b": " + value for name, value in request.headers]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(request.body), b"", request.body])


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in head[1:] if line)
    return int(head[0].split()[1]), {name.lower(): value.strip().lower() for name, _, value in pairs}


async def _body(reader: asyncio.StreamReader, method: str, status: int, headers: dict[str, str]) -> bytes:
    if method == "HEAD" or status in _NO_BODY:
        return b""
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    parts = []
    while size := int(await reader.readline(), 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(parts)
