"""The ASGI application: reads a request within its bounds, finds its route, checks who asks, answers in Azure's way."""

import asyncio
import errno
import inspect
import json
import logging
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any
from urllib.parse import parse_qsl

from amlocal.core.context import PROVIDER, Context, envelope
from amlocal.core.decoding import MAX_JSON
from amlocal.core.errors import AmlocalError, ApiError, BadRequest, Forbidden, MethodNotAllowed
from amlocal.core.http import SMALL, ByteBudget, Call, Reply, Route, RouteMatch, Router, ServerBusy
from amlocal.core.unserved import unserved

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

MAX_BODY = MAX_JSON  # bytes of a body that is read whole, unless its route says otherwise; uploads stream
_FEW, _TURN_S = 8, 0.01  # a list of fewer items is written in one go; so long a turn is long enough
_NOT_IN_HEADERS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_NO_CACHE = {"cache-control": "no-cache", "pragma": "no-cache", "expires": "-1"}
# The Authorization header -> the job whose token it is, None for one that opens all. Raises `Unauthorized`.
CheckBearer = Callable[[str], str | None]

MARK_AUTHENTICATED = "amlocal.mark_authenticated"
"""The key of a scope under which the server has a function to call once a request's credential was found good."""

_MAX_FIELDS = 1000
_LARGE = 2**13  # bytes of a body that is worked on while no other such is: threads busy in Python make the loop wait
_NO_TURN = nullcontext()
_LOG = logging.getLogger("amlocal")
_WORKSPACE = re.compile(
    rf"/subscriptions/[^/]+/resourceGroups/(?P<group>[^/]+)/providers/{PROVIDER}/workspaces/(?P<name>[^/]+)",
    re.IGNORECASE,
)


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


class App:
    """Serves one workspace. `lifespan` is entered before the first request and left after the last.

    `routes` are kept to be read: docs/reference-amlocal.md is made from them.
    """

    def __init__(
        self,
        context: Context,
        routes: list[Route],
        check_bearer: CheckBearer,
        lifespan: Callable[[], AbstractAsyncContextManager[None]],
    ) -> None:
        self._context = context
        self.routes = tuple(routes)
        self._router = Router(routes)
        self._check_bearer = check_bearer
        self._lifespan = lifespan
        self._open = False
        self.failed: str | None = None  # why it could not be opened
        self._budget = ByteBudget()
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live through the server's start and stop."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self._lifespan():
                await send({"type": "lifespan.startup.complete"})
                self._open = True
                await receive()
        except (AmlocalError, OSError, sqlite3.Error) as error:
            if self._open:
                raise
            self.failed = f"The workspace could not be opened: {error}"
            await send({"type": "lifespan.startup.failed", "message": self.failed})
            return
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request = self._context.ids()
        try:
            reply = await self._answer(scope, receive, request)
        except Disconnected:
            return
        taken = time.perf_counter() - started
        arm = {"x-request-time": f"{taken:.3f}", "x-ms-correlation-request-id": request, "x-ms-request-id": request}
        await respond(send, reply, arm, head=scope["method"] == "HEAD")
        # The path alone: queries hold signatures.
        _LOG.info("%s %s %d %.1f ms", scope["method"], raw_path(scope), reply.status, taken * 1000)

    async def _answer(self, scope: Scope, receive: Receive, request: str) -> Reply:
        try:
            match = self._match(scope)
            mark_authenticated = scope.get(MARK_AUTHENTICATED, _not_counted)
            if match.route.auth == "bearer":
                self._authorize(match, scope)
                mark_authenticated()
            return await self._call(match, scope, receive, mark_authenticated)
        except ApiError as error:
            return self._refuse(error, request)
        except (OSError, sqlite3.OperationalError) as error:
            if not _disk_full(error):
                return self._fail(scope, request)
            message = "The disk is full: nothing of this request was kept. Free some space and send it again."
            return self._refuse(ApiError(507, message, code="InsufficientStorage"), request)
        except Disconnected:
            raise
        except Exception:  # noqa: BLE001 - the edge: what nobody foresaw is logged and answered, the server lives on
            return self._fail(scope, request)

    def _authorize(self, match: RouteMatch, scope: Scope) -> None:
        job, opens = self._check_bearer(header(scope, b"authorization")), match.route.for_job
        if job is not None and not (opens and opens(match.path, job)):
            raise Forbidden(job, scope["method"], raw_path(scope))

    def _match(self, scope: Scope) -> RouteMatch:
        method, path = scope["method"], raw_path(scope)
        match = self._router.find(method, path) or (method == "HEAD" and self._router.find("GET", path))
        if match:
            return match
        self._check_workspace(path)
        if named := unserved(method, path):
            raise named
        if others := self._router.methods(path):
            raise MethodNotAllowed(f"{method} is not served at {path}; it takes {', '.join(others)}.", others)
        version = _query(scope["query_string"].decode("latin-1")).get("api-version", "none")
        message = f"amlocal does not serve {method} {path} (api-version {version})."
        raise ApiError(501, message, code="NotImplemented")

    def _check_workspace(self, path: str) -> None:
        """Raise Azure's 404 for another workspace, and say which one is here."""
        found = _WORKSPACE.search(path)
        identity = self._context.identity
        if found is None or found[0].lower() == identity.arm_id.lower():
            return
        raise ApiError(
            404,
            f"The Resource '{PROVIDER}/workspaces/{found['name']}' under resource group '{found['group']}' was "
            f"not found. This is amlocal with workspace '{identity.name}' in resource group "
            f"'{identity.resource_group}' of subscription '{identity.subscription}'.",
            code="ResourceNotFound",
        )

    async def _call(
        self, match: RouteMatch, scope: Scope, receive: Receive, mark_authenticated: Callable[[], None]
    ) -> Reply:
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        body = Body(receive, headers.get("content-length"), self._budget)
        raw, query = raw_path(scope), scope["query_string"].decode("latin-1")
        target = f"{raw}?{query}" if query else raw
        try:
            call = Call(
                method=scope["method"],
                target=target,
                url=f"{self._context.origin}{target}",
                path=match.path,
                query=_query(query) if query else {},
                headers=headers,
                stream=body.chunks,
                content=b"" if match.route.streaming else await body.whole(),
                whole=body.whole,
                mark_authenticated=mark_authenticated,
            )
            async with self._turn if len(call.content) > _LARGE else _NO_TURN:
                answer = match.route.handler(call)
                return await answer if inspect.isawaitable(answer) else answer
        finally:
            body.release()

    def _refuse(self, error: ApiError, request: str) -> Reply:
        body = envelope(
            error,
            operation=request.replace("-", ""),
            request=request[:16].replace("-", ""),
            location=self._context.identity.location,
            now=self._context.now(),
        )
        if error.code == "ResourceNotFound":  # the gateway's own answer has these two keys only
            brief = {"error": {"code": error.code, "message": error.message}}
            return Reply(error.status, brief, {"x-ms-failure-cause": "gateway"})
        return Reply(error.status, body, {"x-ms-response-type": "error", **_extra(error)})

    def _fail(self, scope: Scope, request: str) -> Reply:
        _LOG.exception("%s %s failed (request %s)", scope["method"], raw_path(scope), request)
        message = f"amlocal failed on this request; the server's log has the reason under request {request}."
        return self._refuse(ApiError(500, message, code="InternalServerError"), request)


def _not_counted() -> None:
    """Nobody counts who has authenticated."""


def _query(raw: str) -> dict[str, str]:
    """Return the last value of each key. Raises `BadRequest` for more of them than any client sends."""
    try:
        return dict(parse_qsl(raw, keep_blank_values=True, max_num_fields=_MAX_FIELDS))
    except ValueError as error:
        raise BadRequest(f"The query has more than {_MAX_FIELDS} keys.") from error


def _extra(error: ApiError) -> dict[str, str]:
    """Return the headers that go with some refusals."""
    if isinstance(error, MethodNotAllowed):
        return {"Allow": ", ".join(error.allowed)}
    return {"Retry-After": str(error.retry_after_s)} if isinstance(error, ServerBusy) else {}


def _disk_full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "disk is full" in str(error)
