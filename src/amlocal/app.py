"""The ASGI application: finds the route of a request, checks who asks, answers in Azure's way."""

import asyncio
import errno
import inspect
import logging
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from urllib.parse import parse_qsl

from amlocal.asgi import Body, Disconnected, Receive, Scope, Send, header, raw_path, respond
from amlocal.core.context import PROVIDER, Context
from amlocal.core.errors import AmlocalError, ApiError, BadRequest, Forbidden, MethodNotAllowed
from amlocal.core.http import Call, Reply, Route, RouteMatch, Router
from amlocal.core.transport import ByteBudget, ServerBusy
from amlocal.core.unserved import unserved
from amlocal.core.wire import envelope

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
