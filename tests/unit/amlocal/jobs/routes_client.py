"""The routes of jobs in process: calls in, replies out, one event loop a test."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any
from urllib.parse import urlencode

from amlocal.core.errors import ApiError
from amlocal.core.http import Call, Reply, Router
from amlocal.core.limits import check_run
from amlocal.jobs.logs import JobLogs
from amlocal.jobs.outputs import OutputCollector
from amlocal.jobs.routes import JobRoutes
from amlocal.jobs.run_history import HistoryRoutes, studio_routes
from amlocal.jobs.runner import JobQueue
from tests.unit.amlocal.jobs.workspace import ORIGIN, HeldRuns, JobWorkspace, accepted, settled


@dataclass(frozen=True)
class Answer:
    """What came back; `body` is what is sent as JSON, or bytes."""

    status: int
    body: Any
    headers: Mapping[str, str]
    media_type: str


class JobRoutesClient:
    """All routes of jobs over a workspace, whose jobs run until the test ends them."""

    def __init__(self, workspace: JobWorkspace) -> None:
        self.workspace = workspace
        self.loop = asyncio.Runner()
        self.runs = HeldRuns(workspace.jobs)
        self.queue = JobQueue(workspace.jobs, self.runs.run, lambda _: 1)
        self.logs = JobLogs(workspace.context, workspace.folder, workspace.blobs, "key")
        stores = workspace.stores
        forget = OutputCollector(workspace.blobs, stores.datastores, stores.data, stores.models).forget
        accept = lambda name, sent: accepted(workspace.context, name, **sent)  # noqa: E731 - the assembly has the real one
        self.router = Router(
            [
                *JobRoutes(workspace.context, workspace.jobs, self.queue, accept, forget).routes(),
                *HistoryRoutes(workspace.context, workspace.jobs, stores.outputs, self.logs, check_run).routes(),
                *studio_routes(),
            ]
        )

    def close(self) -> None:
        self.loop.run(self.queue.stop())
        self.loop.close()

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> Answer:
        """Return the answer, an error as the application would answer it."""
        reply = self.loop.run(self._ask(method, path, body, query))
        return Answer(reply.status, reply.body, reply.headers, reply.media_type)

    def jobs(self, method: str, path: str = "", body: Any = None, **query: str) -> Answer:
        """Ask below the workspace's jobs."""
        return self.ask(method, f"{self.workspace.context.arm}/jobs{path}", body, **query)

    def history(self, method: str, path: str, body: Any = None) -> Answer:
        """Ask run history below the workspace."""
        return self.ask(method, f"/history/v1.0{self.workspace.context.arm}{path}", body)

    async def _ask(self, method: str, path: str, body: Any, query: Mapping[str, str]) -> Reply:
        match = self.router.find(method, path)
        assert match is not None, f"nobody serves {method} {path}"

        async def nothing() -> AsyncIterator[bytes]:
            yield b""

        target = f"{path}?{urlencode(query)}" if query else path
        content = b"" if body is None else json.dumps(body).encode()
        call = Call(method, target, f"{ORIGIN}{target}", match.path, query, {}, nothing, content)
        try:
            answer = match.route.handler(call)
            reply = await answer if isawaitable(answer) else answer
        except ApiError as error:
            reply = Reply(error.status, {"error": {"code": error.code, "message": error.message}})
        await settled()
        return reply
