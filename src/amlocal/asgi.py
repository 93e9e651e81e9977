"""Between ASGI messages and the calls and replies of handlers: a body comes in, a reply goes out."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from amlocal.core.decoding import MAX_JSON
from amlocal.core.errors import ApiError
from amlocal.core.http import Reply
from amlocal.core.transport import SMALL, ByteBudget

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

MAX_BODY = MAX_JSON  # bytes of a body that is read whole, unless its route says otherwise; uploads stream
_FEW, _TURN_S = 8, 0.01  # a list of fewer items is written in one go; so long a turn is long enough
_NOT_IN_HEADERS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_NO_CACHE = {"cache-control": "no-cache", "pragma": "no-cache", "expires": "-1"}


class Disconnected(Exception):
    """The client went away before its request was whole."""


class Body:
    """The body of a request, as a stream or whole; `length` is what its Content-Length says."""

    def __init__(self, receive: Receive, length: str | None, budget: ByteBudget) -> None:
        self._receive = receive
        self._length = length
        self._budget = budget
        self._taken = 0

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes in. Raises `Disconnected` when it stops half-way."""
        more = True
        while more:
            chunk, more = await self._take()
            if chunk:
                yield chunk

    async def whole(self, limit: int = MAX_BODY) -> bytes:
        """Return the body. Raises `ApiError` 413 past `limit`, at once when its length says so, and 429."""
        stated = int(self._length) if self._length is not None and self._length.isdecimal() else None
        if stated is not None and stated > limit:
            raise _too_large(limit)
        if stated != 0:
            await self._reserve(min(limit if stated is None else stated, limit))
        # Not by way of `chunks`: an asynchronous generator costs as much as a small request does besides.
        parts, size, more = [], 0, True
        while more:
            chunk, more = await self._take()
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            parts.append(chunk)
        return b"".join(parts)

    async def _reserve(self, size: int) -> None:
        if size > SMALL:
            await self._budget.take(size)
            self._taken += size

    def release(self) -> None:
        """Give back what the body had of the budget: nobody needs it any more."""
        if self._taken:
            self._budget.give(self._taken)
            self._taken = 0

    async def _take(self) -> tuple[bytes, bool]:
        """Return the next part of the body, and whether more will come."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        return message.get("body", b""), message.get("more_body", False)


def _too_large(limit: int) -> ApiError:
    return ApiError(413, f"The request body is larger than {limit} bytes.", code="RequestEntityTooLarge")


async def respond(send: Send, reply: Reply, extra: Mapping[str, str], *, head: bool) -> None:
    """Send a reply; `extra` are headers in lower case that it may replace, `head` leaves out its body."""
    body = reply.body
    if not (body is None or isinstance(body, bytes | AsyncIterator)):
        body = await _encode_in_turns(body)
    headers = {"x-ms-response-type": "standard", **extra, **_NO_CACHE}
    for key, value in reply.headers.items():
        headers[key.lower()] = value
    if body is not None:
        headers.setdefault("content-type", reply.media_type)
    if not isinstance(body, AsyncIterator):
        headers.setdefault("content-length", str(len(body or b"")))
    raw = [(key.encode(), _header_value(value)) for key, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    if isinstance(body, AsyncIterator):
        if not head:
            async for chunk in body:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        body = b""
    await send({"type": "http.response.body", "body": b"" if head else body or b""})


async def _encode_in_turns(body: Any) -> bytes:
    """Return the JSON of a body; between the items of a list, others have their turn when it takes long."""
    items = body.get("value") if isinstance(body, dict) else None
    if not isinstance(items, list) or len(items) < _FEW:
        return _encode(body)
    parts: list[bytes] = []
    began = time.perf_counter()
    for item in items:
        parts.append(_encode(item))
        if time.perf_counter() - began > _TURN_S:
            await asyncio.sleep(0)
            began = time.perf_counter()
    rest = b"".join(b"," + _encode(key) + b":" + _encode(value) for key, value in body.items() if key != "value")
    return b'{"value":[' + b",".join(parts) + b"]" + rest + b"}"


def _header_value(value: str) -> bytes:
    """Return a value as HTTP can carry it: what a caller sent and gets back may hold anything."""
    if value.isascii() and value.isprintable():
        return value.encode()
    return _NOT_IN_HEADERS.sub(b"?", value.encode("latin-1", errors="replace"))


def _encode(body: Any) -> bytes:
    """Return JSON that every reader takes: a number that is none (kept by an older amlocal) goes out as null."""
    try:
        return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
    except ValueError:
        finite = json.loads(json.dumps(body), parse_constant=lambda _: None)
        return json.dumps(finite, separators=(",", ":"), allow_nan=False).encode()


def raw_path(scope: Scope) -> str:
    """Return the path of a request exactly as it was sent."""
    raw: bytes = scope["raw_path"]
    return raw.decode("latin-1").partition("?")[0]


def header(scope: Scope, name: bytes) -> str:
    """Return the first header of that name (in lower case), empty when there is none."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
