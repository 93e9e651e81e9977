"""HTTP as the APIs see it: calls, replies and the routes between them; bodies that share a budget, and joined writes.

An answer's head and its body, or the requests that a process gets at the same time, would each be a system call, and
over TLS a record, of its own: these cost more than anything else that the server does for a small request.
"""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote

from amlocal.core.decoding import mapping, read_json
from amlocal.core.errors import ApiError, BadRequest

Json = Any  # a decoded JSON value; what it must hold is checked where it is read
_VARIABLE = re.compile(r"\{(\w+)(:path)?\}")
BODIES = 128 * 2**20  # bytes
SMALL = 2**16
"""Bytes of a body that does not count: a connection may hold as many before anyone looks at them."""

LARGE = 2**16
"""Bytes that wait for the end of the turn at most: beyond, the transport's own flow control must be asked."""


async def _nothing(_: int) -> bytes:
    return b""


def _not_counted() -> None:
    """Nobody counts who has authenticated."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request, parsed once. `path` holds the route's variables, `query` the last value of each key."""

    method: str
    target: str  # path and query exactly as sent: blob names and signatures are defined over the raw text
    url: str  # absolute, with query
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]  # keys in lower case
    stream: Callable[[], AsyncIterator[bytes]]
    content: bytes = b""  # the whole body, for routes that do not stream
    # For routes that stream and check who calls by themselves: `mark_authenticated` is called once the credential was
    # found good, `whole` returns the body of at most so many bytes, or raises `ApiError` 413 or 429.
    whole: Callable[[int], Awaitable[bytes]] = _nothing
    mark_authenticated: Callable[[], None] = _not_counted

    def json(self) -> Json:
        """Return the decoded body, None when empty. Raises `BadRequest` on text that is not JSON or out of bounds."""
        if not self.content:
            return None
        try:
            return read_json(self.content)
        except ValueError as error:
            raise BadRequest(f"The request body is not JSON: {error}.") from error

    def object(self) -> dict[str, Json]:
        """Return the decoded body, which must be a JSON object. Raises `BadRequest` otherwise."""
        body = self.json()
        if not isinstance(body, dict):
            raise BadRequest("The request body must be a JSON object.")
        return body

    def properties(self) -> dict[str, Json]:
        """Return the object under the body's key `properties`, {} for none. Raises `BadRequest` for anything else."""
        return mapping(self.object(), "properties")


ForJob = Callable[[Mapping[str, str], str], bool]


def own_name(path: Mapping[str, str], job: str) -> bool:
    """Return whether the route's `{name}` is the job itself."""
    return path["name"] == job


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: `body` is sent as JSON, or as it is when it is bytes or a stream of bytes; None sends nothing."""

    status: int = 200
    body: Json | bytes | AsyncIterator[bytes] = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json; charset=utf-8"


Handler = Callable[[Call], Reply | Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: `path` may hold `{name}` (one segment) and `{name:path}` (the rest).

    `auth` says who may call: "bearer" (a token that this workspace signed), or "open" for what Azure serves without a
    token or checks in the handler (signed URLs, storage keys). `streaming` leaves the body unread; a route that is open
    streams, since a body is read only of those who may call. `for_job` tells by the path's variables whether the
    token of that job opens the route; without it, none does.
    """

    method: str
    path: str
    handler: Handler
    auth: str = "bearer"
    streaming: bool = False
    for_job: ForJob | None = None


@cache  # tests make a thousand applications
def _compile_path(path: str) -> re.Pattern[str]:
    """Turn a route's path into a pattern over the raw (percent-encoded) request path.

    Azure's resource paths are case-insensitive, so the fixed parts match in any case.
    """
    pattern, end = "", 0
    for variable in _VARIABLE.finditer(path):
        pattern += re.escape(path[end : variable.start()])
        pattern += f"(?P<{variable[1]}>{'.*' if variable[2] else '[^/]+'})"
        end = variable.end()
    return re.compile(pattern + re.escape(path[end:]) + "/?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RouteMatch:
    """A route and the values of its variables, percent-decoded."""

    route: Route
    path: Mapping[str, str]


class Router:
    """Finds the route of a request; earlier routes win."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._table: dict[str, list[tuple[re.Pattern[str], Route]]] = {}
        for route in routes:
            self._table.setdefault(route.method, []).append((_compile_path(route.path), route))

    def find(self, method: str, raw_path: str) -> RouteMatch | None:
        """Return the match of `raw_path` (without query), or None."""
        for pattern, route in self._table.get(method, ()):
            if found := pattern.fullmatch(raw_path):
                return RouteMatch(route, {name: unquote(value) for name, value in found.groupdict().items()})
        return None

    def methods(self, raw_path: str) -> list[str]:
        """Return the methods that `raw_path` takes, to tell "not this way" from "not here"."""
        return sorted(
            method for method, rows in self._table.items() if any(pattern.fullmatch(raw_path) for pattern, _ in rows)
        )


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
