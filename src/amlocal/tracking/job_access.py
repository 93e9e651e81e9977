"""What a job's token opens of tracking: the job's own run, and those that it made itself.

Runs made by a job (nested ones, or a second one after its own has ended) are remembered, not looked up: a job does not
outlive the server, so nothing is forgotten that could still be asked for.
"""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from amlocal.core.errors import Forbidden
from amlocal.core.http import Call, Reply
from amlocal.tracking.artifacts import parse_artifact_path
from amlocal.tracking.errors import AsyncHandler
from amlocal.tracking.protocol import decode_body
from amlocal.tracking.refusals import azure_serves, refusal

FindRun = Callable[[str], Awaitable[dict[str, Any]]]  # by id: MLflow's RunInfo; raises `ApiError`
JobHandler = Callable[[Call, str], Awaitable[Reply]]

_PARENT = "mlflow.parentRunId"


class JobAccess:
    """Answers calls that bring a job's token. `forward` asks MLflow; `path` of a call is what follows `/api/`."""

    def __init__(self, forward: AsyncHandler, find_run: FindRun, *, lenient: bool) -> None:
        self._forward = forward
        self._find_run = find_run
        self._lenient = lenient
        self._made: defaultdict[str, set[str]] = defaultdict(set)  # runs and, when lenient, models, by job

    def of_run(self, handler: AsyncHandler) -> JobHandler:
        """Have a handler of artifacts by run id (`run_id=`) answer for the job's own runs alone."""

        async def answer(call: Call, job: str) -> Reply:
            self._check(call, job, {value for key, value in _pairs(call) if _is_run_id(key)})
            return await handler(call)

        return answer

    def of_path(self, handler: AsyncHandler) -> JobHandler:
        """Have a handler of artifacts by path (`EXPERIMENT/RUN/artifacts/...`) answer for the job's own runs alone."""

        async def answer(call: Call, job: str) -> Reply:
            paths = [call.path["path"]] if "path" in call.path else [v for key, v in _pairs(call) if key == "path"]
            self._check(call, job, {parse_artifact_path(path).run_id for path in paths})
            return await handler(call)

        return answer

    async def api(self, call: Call, job: str) -> Reply:
        """Answer a call of MLflow's API. Raises `Forbidden` for what is not the job's own.

        What is passed on is written anew from what was looked at: MLflow reads keys given twice, a body beside a
        query, and names in two spellings in its own way.
        """
        api = call.path["rest"]
        pairs, body = _pairs(call), decode_body(call.content) if call.content else {}
        if call.method in ("GET", "HEAD"):
            call, body = replace(call, target=f"{_path(call)}?{urlencode(pairs)}", content=b""), dict(pairs)
        else:
            call, pairs = (
                replace(call, target=_path(call), content=json.dumps(body).encode() if call.content else b""),
                [],
            )
        named = {str(value) for key, value in (*pairs, *body.items()) if _is_run_id(key)}
        if not azure_serves(call.method, api):
            return await self._beyond_azure(call, job, api, named, body)
        if api.startswith("3.0/"):
            return await self._forward(call)
        group, _, action = api.removeprefix("2.0/mlflow/").partition("/")
        if group == "experiments":
            return await self._experiment(call, job, action, body)
        if action == "create":
            return await self._create(call, job, body)
        if action == "search":
            return await self._search(call, job, body)
        self._check(call, job, named)
        return await self._forward(call)

    async def _experiment(self, call: Call, job: str, action: str, body: Mapping[str, Any]) -> Reply:
        """Answer for the experiment that the job belongs to; it may be looked at, by id and by name."""
        if action == "get":
            await self._check_experiments(call, job, [value for key, value in _pairs(call) if key == "experiment_id"])
            return await self._forward(call)
        if action == "get-by-name" and isinstance(body.get("experiment_name"), str):
            reply = await self._forward(call)
            if reply.status == 200:
                found = json.loads(reply.body)["experiment"]["experiment_id"]  # type: ignore[arg-type]  # MLflow's bytes
                await self._check_experiments(call, job, [found])
            return reply
        raise _forbidden(call, job)

    async def _create(self, call: Call, job: str, body: Mapping[str, Any]) -> Reply:
        await self._check_experiments(call, job, [v for k, v in body.items() if _plain(k) == "experimentid"])
        tags = body.get("tags")
        parents = {
            str(tag.get("value"))
            for tag in (tags if isinstance(tags, list) else [])  # what is none, MLflow refuses
            if isinstance(tag, dict) and tag.get("key") == _PARENT
        }
        if parents:
            self._check(call, job, parents)
        reply = await self._forward(call)
        if reply.status == 200:
            self._made[job].add(json.loads(reply.body)["run"]["info"]["run_id"])  # type: ignore[arg-type]
        return reply

    async def _search(self, call: Call, job: str, body: Mapping[str, Any]) -> Reply:
        """Answer a search within the job's experiment with those runs that are its own."""
        ids = [
            one for k, v in body.items() if _plain(k) == "experimentids" for one in (v if isinstance(v, list) else [v])
        ]
        await self._check_experiments(call, job, ids)
        reply = await self._forward(call)
        if reply.status != 200:
            return reply
        found = json.loads(reply.body)  # type: ignore[arg-type]  # MLflow's bytes
        found["runs"] = [run for run in found.get("runs", []) if self._owns(job, run["info"]["run_id"])]
        return replace(reply, body=found)

    async def _beyond_azure(self, call: Call, job: str, api: str, named: set[str], body: Mapping[str, Any]) -> Reply:
        """Answer what `--lenient` serves besides; what it does not either, in the words that it is refused with."""
        if refused := refusal(call.method, f"api/{api}", lenient=self._lenient):
            return refused
        model = api.partition("/logged-models/")[2].partition("/")[0]
        named |= {model} if model not in ("", "search") else set()
        if named:
            self._check(call, job, named)
        experiments = [v for k, v in body.items() if _plain(k) in ("experimentid", "experimentids")]
        if experiments:
            await self._check_experiments(
                call, job, [one for v in experiments for one in (v if isinstance(v, list) else [v])]
            )
        reply = await self._forward(call)
        if reply.status == 200 and api == "2.0/mlflow/logged-models":
            self._made[job].add(json.loads(reply.body)["model"]["info"]["model_id"])  # type: ignore[arg-type]
        return reply

    def _owns(self, job: str, run: str) -> bool:
        return run == job or run in self._made[job]

    def _check(self, call: Call, job: str, named: set[str]) -> None:
        if not named or not all(self._owns(job, run) for run in named):
            raise _forbidden(call, job)

    async def _check_experiments(self, call: Call, job: str, ids: list[Any]) -> None:
        own = (await self._find_run(job))["experiment_id"]
        if not ids or any(str(one) != own for one in ids):
            raise _forbidden(call, job)


def _forbidden(call: Call, job: str) -> Forbidden:
    return Forbidden(job, call.method, _path(call))


def _path(call: Call) -> str:
    return call.target.partition("?")[0]


def _pairs(call: Call) -> list[tuple[str, str]]:
    return parse_qsl(call.target.partition("?")[2], keep_blank_values=True)


def _plain(key: str) -> str:
    """Return a key without what MLflow's parser of messages overlooks: `run_id` and `runId` are the same to it."""
    return key.replace("_", "").lower()


def _is_run_id(key: str) -> bool:
    return _plain(key) in ("runid", "runuuid", "sourcerunid")
