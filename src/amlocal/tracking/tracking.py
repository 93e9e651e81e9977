"""Tracking as the workspace sees it: runs are recorded, clients are answered, MLflow is somewhere behind."""

import asyncio
import json
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from amlocal.blobs import BlobStore
from amlocal.core.errors import ApiError, BadRequest
from amlocal.core.http import Call, Reply, Route
from amlocal.tracking.artifacts import ArtifactRoutes, Artifacts
from amlocal.tracking.errors import TrackingUnavailable
from amlocal.tracking.job_access import JobAccess
from amlocal.tracking.mlflow_process import COMMAND, MlflowProcess, MlflowResponse, send_request
from amlocal.tracking.protocol import PREFIX, RUNS, RunRecord, decode_body
from amlocal.tracking.refusals import check_places, refusal
from amlocal.tracking.routes import tracking_routes
from amlocal.tracking.session import CheckToken

_LOG = logging.getLogger("amlocal")
# What SQLite and the system say of a disk or a file, not of a request.
_STATE = re.compile(r"disk (I/O|is full|image)|database is locked|readonly database|No space left|unable to open")
# What SQLite refuses of a question as such: more conditions or columns of one search than it takes.
_TOO_MUCH = re.compile(r"at most \d+ tables|too many |too large|too big|too deep|parser stack overflow")
_REPEATABLE = ("GET", "PUT")  # the only PUT is the workspace's own record of a run
_JSON = {"content-type": "application/json"}


class Tracking:
    """MLflow's tracking server for one workspace, its files in `folder`, runs' artifacts in `blobs`.

    What Azure ML's tracking server does not serve is refused here as well, unless `lenient`. `environ` is what
    MLflow's process starts from, `command` starts it.
    """

    def __init__(
        self,
        folder: Path,
        blobs: BlobStore,
        *,
        lenient: bool,
        environ: Mapping[str, str],
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._mlflow = MlflowProcess(folder, environ, lenient=lenient, command=command)
        self._artifacts = Artifacts(blobs)
        self._lenient = lenient
        # Locks are fair: runs are written in the order in which they were recorded, and whoever passes the lock
        # finds all of them in MLflow.
        self._recording = asyncio.Lock()

    async def start(self) -> None:
        """Have MLflow come up, without waiting for it. Without this call, the first one that needs it starts it."""
        self._mlflow.start()

    async def stop(self) -> None:
        """End MLflow's process."""
        await self._mlflow.stop()

    def routes(self, check: CheckToken) -> list[Route]:
        """Return the routes below `/mlflow`; `check` raises `Unauthorized` for a token that is not the workspace's."""
        jobs = JobAccess(self._forward, self._find_run, lenient=self._lenient)
        return tracking_routes(ArtifactRoutes(self._artifacts, self._find_run), self._forward, jobs, check)

    async def record_run(self, run: RunRecord) -> None:
        """Write the run into MLflow, as soon as MLflow is up. Raises `ApiError`.

        Records arrive in the order of the calls, and before any client's call that comes in later.
        """
        async with self._recording:
            await self._ask("PUT", f"{RUNS}/{quote(run.run_id, safe='')}", run.wire())

    async def _forward(self, call: Call) -> Reply:
        path = unquote(call.target.partition("?")[0]).removeprefix(f"{PREFIX}/")
        if refused := refusal(call.method, path, lenient=self._lenient):
            return refused
        if call.content:
            check_places(decode_body(call.content))
        await self._all_recorded()
        method = "GET" if call.method == "HEAD" else call.method  # the application leaves the body out
        answer = await self._ask_mlflow(method, call.target, call.headers, call.content)
        if answer.status >= 500:
            raise _not_understood(call, answer)
        return Reply(answer.status, answer.body, answer.headers)

    async def _find_run(self, run_id: str) -> dict[str, Any]:
        await self._all_recorded()
        answer = await self._ask("GET", f"{PREFIX}/api/2.0/mlflow/runs/get?run_id={quote(run_id, safe='')}")
        info: dict[str, Any] = answer["run"]["info"]
        return info

    async def _all_recorded(self) -> None:
        async with self._recording:
            pass

    async def _ask_mlflow(self, method: str, target: str, headers: Mapping[str, str], content: bytes) -> MlflowResponse:
        """Return MLflow's answer; what can be asked twice is asked again when MLflow died under it."""
        address = await self._mlflow.address()
        try:
            return await send_request(address, method, target, headers, content)
        except TrackingUnavailable:
            # Waited for in any case: the next call shall find it gone, and start it anew.
            if not await self._mlflow.ended() or method not in _REPEATABLE:
                raise
        return await send_request(await self._mlflow.address(), method, target, headers, content)

    async def _ask(self, method: str, target: str, body: Any = None) -> Any:
        """Return the JSON of MLflow's answer to the workspace itself. Raises `ApiError` with MLflow's words."""
        content = b"" if body is None else json.dumps(body).encode()
        answer = await self._ask_mlflow(method, target, _JSON, content)
        if answer.status == 200:
            return json.loads(answer.body)
        raise ApiError(answer.status, _message(answer))


def _not_understood(call: Call, answer: MlflowResponse) -> ApiError:
    """Return the refusal of a call that MLflow's server failed on.

    MLflow checks little of what it is sent: a number too large for its database, say, is a fault of the server there.
    Its client sends a request that met a fault again, for minutes. So what is not the state of this machine is 400.
    """
    message = _message(answer)
    _LOG.warning("MLflow answered %s %s with %d: %s", call.method, call.target[:200], answer.status, message[:500])
    if answer.status == 501:
        return ApiError(501, message)
    state = _STATE.search(message) is not None
    if state or (answer.status == 503 and not _TOO_MUCH.search(message)):
        return TrackingUnavailable(f"MLflow's server could not do this now: {message}")
    return BadRequest(f"MLflow's server could not make sense of this request: {message}")


def _message(answer: MlflowResponse) -> str:
    """Return the message of an error of MLflow's; of its web framework, if it never got to MLflow."""
    try:
        return str(json.loads(answer.body)["message"])
    except (ValueError, KeyError, TypeError):
        return f"MLflow's server answered {answer.status}: {answer.body[:300]!r}"
