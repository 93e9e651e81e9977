"""Sends requests over a few connections that stay open, several ahead, and keeps what should never come back."""

import asyncio
import json
import re
import ssl
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

from tests.fuzz.requests import Request

_PATIENCE_S = 30.0
_LOOK_S = 1.0
_AHEAD = 400  # requests that may wait to be sent when more are made
# Not faults: what is not served here, and a full disk.
_MEANT = (501, 507)
_NO_BODY = (204, 304)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_LAST = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is Python's, not JSON's")


@dataclass(slots=True)
class Findings:
    """What came back. `faults` has one request of each kind: its method, its route, what went wrong."""

    sent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    passed: Counter[tuple[str, str]] = field(default_factory=Counter)  # 2xx by method and route
    faults: dict[tuple[str, str, str], tuple[Request, str]] = field(default_factory=dict)
    mlflow: int = 0
    slowest_s: float = 0.0
    slowest: Request | None = None

    def note(self, request: Request, status: int, body: bytes, took_s: float) -> None:
        """Count an answer."""
        self.sent += 1
        self.mlflow += request.mlflow
        self.statuses[status] += 1
        if 200 <= status < 300:
            self.passed[request.method, request.route] += 1
        if took_s > self.slowest_s:
            self.slowest_s, self.slowest = took_s, request
        if status >= 500 and status not in _MEANT:
            self.fault(request, str(status), body.decode(errors="replace")[:600])
        if (b"NaN" in body or b"Infinity" in body) and "/providers/" in request.route:
            self._check(request, body)

    def _check(self, request: Request, body: bytes) -> None:
        try:
            json.loads(body, parse_constant=_refuse)
        except ValueError as error:
            self.fault(request, "not JSON", f"{error}: {body.decode(errors='replace')[:600]}")

    def fault(self, request: Request, kind: str, detail: str) -> None:
        """Keep a request that should have been answered otherwise."""
        self.faults.setdefault((request.method, request.route, kind), (request, detail))


class Sender:
    """Connections to one server: some for requests to the workspace, some for those that MLflow may answer."""

    def __init__(self, origin: str, trust: ssl.SSLContext) -> None:
        address = urlsplit(origin)
        self.host, self.port, self.trust = address.hostname or "", address.port or 443, trust
        self.findings = Findings()
        self._own, self._mlflow = _Lane(self, lines=8, ahead=8), _Lane(self, lines=2, ahead=1)

    async def send(self, batch: Sequence[Request]) -> None:
        """Send requests; wait only while many others wait."""
        for request in batch:
            (self._mlflow if request.mlflow else self._own).put(request)
        for lane in (self._own, self._mlflow):
            await lane.at_most(_AHEAD)

    async def wait(self) -> None:
        """Wait for all answers."""
        for lane in (self._own, self._mlflow):
            await lane.at_most(0)

    async def close(self) -> None:
        """Close the connections."""
        for lane in (self._own, self._mlflow):
            await lane.close()


class _Lane:
    """Requests that go over some connections, in turn. A request that lost its connection goes once more, alone."""

    def __init__(self, sender: Sender, *, lines: int, ahead: int) -> None:
        self.sender, self.ahead = sender, ahead
        self._count = lines
        self._waiting: deque[tuple[Request, bool]] = deque()
        self._left = 0  # not answered yet, whether sent or not
        self._lines: set[_Line] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._failed: BaseException | None = None

    def put(self, request: Request) -> None:
        """Have a request sent."""
        self._left += 1
        self._waiting.append((request, False))

    async def at_most(self, left: int) -> None:
        """Return when no more requests than so many are to be answered. Raises `OSError` when nobody listens."""
        self._feed()
        while self._left > left:
            if self._failed:
                raise self._failed
            self._changed.clear()
            try:
                async with asyncio.timeout(_LOOK_S):
                    await self._changed.wait()
            except TimeoutError:
                self._look()
            self._feed()

    async def close(self) -> None:
        """Close the connections."""
        for line in list(self._lines):
            line.leave()
        await asyncio.sleep(0)

    def next(self, *, alone: bool) -> tuple[Request, bool] | None:
        """Return the next request to send; one that goes alone only when the connection is `alone` with it."""
        if not self._waiting or (self._waiting[0][1] and not alone):
            return None
        return self._waiting.popleft()

    def done(self) -> None:
        """Count an answer, or a fault."""
        self._left -= 1
        self._changed.set()

    def lost(self, line: "_Line", unanswered: list[tuple[Request, bool]]) -> None:
        """Send again what a connection that closed has not answered; a request that was alone on it is at fault."""
        self._lines.discard(line)
        if unanswered and unanswered[0][1]:
            self.sender.findings.fault(unanswered.pop(0)[0], "no answer", "the connection was closed instead, twice")
            self.done()
        if unanswered:
            again = [(unanswered[0][0], True), *unanswered[1:]]
            self._waiting.extendleft(reversed(again))
        self._changed.set()

    def _feed(self) -> None:
        for line in self._lines:
            line.feed()
        while self._waiting and len(self._lines) + len(self._opening) < self._count:
            opening = asyncio.get_running_loop().create_task(self._open())
            self._opening.add(opening)
            opening.add_done_callback(self._opened)

    async def _open(self) -> None:
        sender, loop = self.sender, asyncio.get_running_loop()
        _, line = await loop.create_connection(lambda: _Line(self), sender.host, sender.port, ssl=sender.trust)
        self._lines.add(line)
        line.feed()

    def _opened(self, opening: asyncio.Task[None]) -> None:
        self._opening.discard(opening)
        self._failed = self._failed or opening.exception()
        self._changed.set()

    def _look(self) -> None:
        now = time.perf_counter()
        for line in list(self._lines):
            if line.due and now - line.heard > _PATIENCE_S:
                self.sender.findings.fault(line.due.popleft()[0], "no answer", f"none within {_PATIENCE_S:.0f} s")
                self.done()
                line.leave()


class _Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, lane: _Lane) -> None:
        self._lane = lane
        self._transport: asyncio.WriteTransport | None = None
        self._buffer = b""
        self.due: deque[tuple[Request, bool]] = deque()
        self.heard = 0.0
        self._over = False  # the server has said that it closes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give back what was not answered."""
        self._transport = None
        self._lane.lost(self, list(self.due))
        self.due.clear()

    def leave(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def feed(self) -> None:
        """Send as many requests as may be on their way."""
        if self._over or self._transport is None or self._transport.is_closing() or (self.due and self.due[0][1]):
            return
        parts = []
        if not self.due:
            self.heard = time.perf_counter()
        while len(self.due) < self._lane.ahead and (entry := self._lane.next(alone=not self.due)):
            self.due.append(entry)
            parts.append(entry[0].content())
            if entry[1]:
                break
        if parts:
            self._transport.write(b"".join(parts))

    def data_received(self, data: bytes) -> None:
        """Take the answers that are whole."""
        self._buffer += data
        while self.due:
            request, _ = self.due[0]
            try:
                answer = _parse(self._buffer, request.method)
            except (ValueError, IndexError) as error:
                self.due.popleft()
                self._lane.sender.findings.fault(request, "broken answer", f"{error!r}: {self._buffer[:300]!r}")
                self._lane.done()
                self.leave()
                return
            if answer is None:
                break
            status, body, used, last = answer
            self.due.popleft()
            self._buffer = self._buffer[used:]
            now = time.perf_counter()
            self._lane.sender.findings.note(request, status, body, now - self.heard)
            self.heard = now
            self._lane.done()
            if last:
                self._over = True
                return
        self.feed()


def _parse(buffer: bytes, method: str) -> tuple[int, bytes, int, bool] | None:
    """Return status and body of the answer that a buffer begins with, its length, and whether it is the last one."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = buffer[:end]
    status, last = int(head[9:12]), _LAST.search(head) is not None
    if head[:9] != b"HTTP/1.1 ":
        raise ValueError("this is not HTTP")
    end += 4
    if method == "HEAD" or status in _NO_BODY:
        return status, b"", end, last
    if _CHUNKED.search(head):
        return _parse_chunks(buffer, status, end, last)
    stated = _LENGTH.search(head)
    if stated is None:
        raise ValueError("no content-length")
    used = end + int(stated[1])
    return (status, buffer[end:used], used, last) if len(buffer) >= used else None


def _parse_chunks(buffer: bytes, status: int, start: int, last: bool) -> tuple[int, bytes, int, bool] | None:
    parts: list[bytes] = []
    while (end := buffer.find(b"\r\n", start)) >= 0:
        size = int(buffer[start:end], 16)
        after = end + 2 + size + 2
        if len(buffer) < after:
            return None
        if not size:
            return status, b"".join(parts), after, last
        parts.append(buffer[end + 2 : end + 2 + size])
        start = after
    return None
