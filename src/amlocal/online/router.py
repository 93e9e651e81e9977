"""The scoring URL: who may call, which deployment answers, and in which words a failure comes back."""

import asyncio
import hmac
import json
import random
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
from jwt.types import Options

from amlocal.core.context import Clock, Ids
from amlocal.core.decoding import seconds
from amlocal.core.documents import Document
from amlocal.core.errors import ApiError, BadRequest, Unauthorized
from amlocal.core.http import Call, Reply, Route, ServerBusy
from amlocal.online.deployment_manager import DeploymentManager
from amlocal.online.errors import ProcessDied, TooBusy
from amlocal.online.pool import Pool
from amlocal.online.store import OnlineStore
from amlocal.online_scoring.link import ScoringResponse

AUTH_MODES = {"key": "Key", "amltoken": "AMLToken", "aadtoken": "AADToken"}
_LIFETIME, _REFRESH = timedelta(hours=24), timedelta(hours=12)
_AUDIENCE = "azureml"
_JWT_OPTIONS: Options = {"verify_exp": False, "verify_iat": False, "require": ["exp", "sub"]}
MAX_BODY = 1_572_864
"""Bytes: 1.5 MB (learn.microsoft.com/azure/machine-learning/how-to-manage-quotas, "Payload size")."""

_DEPLOYMENT = "azureml-model-deployment"
_STATUS, _REASON = "ms-azureml-model-error-statuscode", "ms-azureml-model-error-reason"


def auth_mode(text: str | None) -> str:
    """Return an authentication mode as Azure spells it. Raises `BadRequest`."""
    found = AUTH_MODES.get((text or "Key").lower().replace("_", ""))
    if found is None:
        raise BadRequest(f"The authMode {text!r} is not one of {', '.join(AUTH_MODES.values())}.")
    return found


def new_keys() -> dict[str, str]:
    """Return a fresh pair of keys."""
    return {"primaryKey": secrets.token_urlsafe(32), "secondaryKey": secrets.token_urlsafe(32)}


class EndpointAuth:
    """Checks callers of endpoints, and issues their tokens. `check_aad` takes an Authorization header."""

    def __init__(self, signing_key: str, clock: Clock, check_aad: Callable[[str], object]) -> None:
        self._key = signing_key
        self._clock = clock
        self._check_aad = check_aad

    def token(self, endpoint: str) -> dict[str, Any]:
        """Return a token that opens this one endpoint for 24 hours, in the shape of the ARM answer."""
        now = self._clock()
        expires = int((now + _LIFETIME).timestamp())
        claims = {"aud": _AUDIENCE, "iss": _AUDIENCE, "sub": endpoint.lower(), "exp": expires}
        return {
            "accessToken": jwt.encode(claims, self._key, algorithm="HS256"),
            "tokenType": "Bearer",
            "expiryTimeUtc": expires,
            "refreshAfterTimeUtc": int((now + _REFRESH).timestamp()),
        }

    def denial(self, endpoint: str, body: Mapping[str, Any], authorization: str) -> str | None:
        """Return None for a caller that may score, else the text of the 401."""
        scheme, _, credential = authorization.partition(" ")
        credential = credential.strip() if scheme.lower() == "bearer" else ""
        mode = body["authMode"]
        if mode == "Key":
            # Both are compared, so that the time tells nothing.
            matches = [hmac.compare_digest(credential.encode(), key.encode()) for key in body["keys"].values()]
            return None if any(matches) else "key_auth_access_denied"
        if mode == "AMLToken":
            return None if self._is_token(endpoint, credential) else "token_auth_access_denied"
        try:
            self._check_aad(authorization)
        except Unauthorized:
            return "aad_auth_access_denied"
        return None

    def _is_token(self, endpoint: str, token: str) -> bool:
        try:
            claims = jwt.decode(token, self._key, ["HS256"], options=_JWT_OPTIONS, audience=_AUDIENCE)
        except jwt.PyJWTError:
            return False
        return claims["sub"] == endpoint.lower() and int(claims["exp"]) > self._clock().timestamp()


class _Rejected(Exception):
    """A call that goes to no deployment; `reply` is what its caller gets."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


def choose_deployment(weights: Mapping[str, int], point: float) -> str | None:
    """Return the deployment in whose share `point` (from 0, under 100) falls, None beyond all shares."""
    for name, weight in sorted(weights.items()):
        if point < weight:
            return name
        point -= weight
    return None


class ScoringRouter:
    """Routes scoring requests. `chance` decides over shares of traffic."""

    def __init__(
        self, store: OnlineStore, manager: DeploymentManager, auth: EndpointAuth, ids: Ids, chance: random.Random
    ) -> None:
        self._store = store
        self._manager = manager
        self._auth = auth
        self._ids = ids
        self._chance = chance
        self._mirrored: set[asyncio.Task[None]] = set()

    def routes(self) -> list[Route]:
        """Return the routes; keys and tokens of an endpoint are not the workspace's, and are checked here."""
        return [
            Route("POST", "/endpoints/{endpoint}/score", self._score, auth="open", streaming=True),
            Route("GET", "/endpoints/{endpoint}/swagger.json", self._describe, auth="open", streaming=True),
        ]

    async def _score(self, call: Call) -> Reply:
        request = call.headers.get("x-request-id") or call.headers.get("x-ms-client-request-id") or self._ids()
        ids = {"x-request-id": request, "x-ms-request-id": request}
        try:
            endpoint, name = self._target(call)
            content = await _body(call)
            pool = await self._pool(endpoint, name)
        except _Rejected as refusal:
            return _with(refusal.reply, ids)
        kind = call.headers.get("content-type", "")
        headers = {**call.headers, **ids}
        self._mirror(endpoint, content, kind, headers)
        return _with(await _ask(pool, pool.score(content, kind, headers)), {**ids, _DEPLOYMENT: name})

    async def _describe(self, call: Call) -> Reply:
        try:
            pool = await self._pool(*self._target(call))
        except _Rejected as refusal:
            return refusal.reply
        return await _ask(pool, pool.describe("3" if call.query.get("version") == "3" else "2"))

    def _target(self, call: Call) -> tuple[Document, str]:
        """Return the endpoint and the name of the deployment that a call goes to. Raises `_Refused`."""
        endpoint = self._store.recall_endpoint(call.path["endpoint"])
        if endpoint is None:
            raise _Rejected(_failure(404, "NotFound", f"There is no endpoint {call.path['endpoint']}."))
        denial = self._auth.denial(endpoint.name, endpoint.body, call.headers.get("authorization", ""))
        if denial:
            raise _Rejected(Reply(401, denial.encode(), media_type="text/plain"))
        call.mark_authenticated()
        name = call.headers.get(_DEPLOYMENT, "").lower() or choose_deployment(
            endpoint.body["traffic"], self._chance.random() * 100
        )
        if not name:
            raise _Rejected(_failure(404, "NotFound", f"No deployment of endpoint {endpoint.name} gets traffic."))
        return endpoint, name

    async def _pool(self, endpoint: Document, name: str) -> Pool:
        pool = self._manager.pool((endpoint.name, name)) or await self._coming(endpoint, name)
        if pool is None:
            raise _Rejected(self._absent(endpoint, name))
        return pool

    async def _coming(self, endpoint: Document, name: str) -> Pool | None:
        """Wait for a deployment that comes back up after a restart, as long as the caller waits for its answer."""
        known = self._store.find_deployment(endpoint.name, name)
        if known is None or not known.body["serving"]:
            return None
        timeout = seconds(known.body["serving"]["properties"]["requestSettings"]["requestTimeout"])
        return await self._manager.coming((endpoint.name, name), timeout)

    def _absent(self, endpoint: Document, name: str) -> Reply:
        known = self._store.find_deployment(endpoint.name, name)
        if known is not None and known.body["serving"]:
            message = f"Deployment {name} does not serve: it is on its way up, or its log says why it is not."
            return _model_failure(503, "model_not_ready", message)
        return _failure(404, "NotFound", f"Endpoint {endpoint.name} has no deployment {name} that serves.")

    def _mirror(self, endpoint: Document, body: bytes, kind: str, headers: Mapping[str, str]) -> None:
        """Send a copy where traffic is mirrored to; what comes of it reaches nobody."""
        name = choose_deployment(endpoint.body["mirrorTraffic"], self._chance.random() * 100)
        pool = self._manager.pool((endpoint.name, name)) if name else None
        if pool is None:
            return

        async def send(pool: Pool) -> None:
            await _ask(pool, pool.score(body, kind, headers))

        task = asyncio.create_task(send(pool))
        self._mirrored.add(task)
        task.add_done_callback(self._mirrored.discard)


def _with(reply: Reply, headers: Mapping[str, str]) -> Reply:
    """Return a reply with headers more, below its own. (On the hot path, where `dataclasses.replace` is slow.)"""
    return Reply(reply.status, reply.body, {**headers, **reply.headers}, reply.media_type)


async def _body(call: Call) -> bytes:
    """Return the body of a call that may score. Raises `_Refused`."""
    try:
        return await call.whole(MAX_BODY)
    except ServerBusy as error:
        refused = _failure(429, "TooManyRequests", error.message)
        raise _Rejected(replace(refused, headers={"Retry-After": str(error.retry_after_s)})) from error
    except ApiError as error:
        message = f"The request is larger than {MAX_BODY} bytes (1.5 MB)."
        raise _Rejected(_failure(413, "RequestEntityTooLarge", message)) from error


async def _ask(pool: Pool, response: Awaitable[ScoringResponse]) -> Reply:
    try:
        return _reply(await response)
    except TooBusy as error:
        refused = _failure(429, "TooManyRequests", str(error))
        return replace(refused, headers={_REASON: "too_many_pending_request"})
    except TimeoutError:
        return _failure(408, "RequestTimeout", f"The model took longer than {pool.settings.timeout_s * 1000:.0f} ms.")
    except ProcessDied as error:
        return _model_failure(502, "model_error", str(error))


def _reply(answer: ScoringResponse) -> Reply:
    headers = {**answer.headers, "x-ms-run-fn-exec-ms": f"{answer.took_ms:.3f}"}
    if answer.status == 200:
        return Reply(200, answer.body, headers | {"x-ms-run-function-failed": "False"}, answer.media_type)
    failed = {"x-ms-run-function-failed": str(answer.status >= 500)}
    return Reply(424, answer.body, headers | failed | _wrapped(answer.status, "model_error"), answer.media_type)


def _wrapped(status: int, reason: str) -> dict[str, str]:
    # Azure ML passes no status of the model's on: each but 200 is a 424 to the caller, that of a process which is not
    # there too.
    return {_STATUS: str(status), _REASON: reason}


def _model_failure(status: int, reason: str, message: str) -> Reply:
    return replace(_failure(424, "ModelError", message), headers=_wrapped(status, reason))


def _failure(status: int, code: str, message: str) -> Reply:
    error: dict[str, Any] = {"error": {"code": code, "message": message}}
    return Reply(status, json.dumps(error).encode(), media_type="application/json")
