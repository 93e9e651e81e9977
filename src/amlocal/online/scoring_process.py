"""A scoring process of amlocal's own as the server sees it: started, asked, ended."""

import asyncio
import itertools
import os
import signal
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

from amlocal.core.http import JoinedWrites
from amlocal.online.deployment_logs import DeploymentLog, ProcessOutput, capture_output
from amlocal.online.errors import NotSent, ProcessDied
from amlocal.online.pool import NO_HEADERS
from amlocal.online_scoring.link import ALIVE, ScoringRequest, ScoringResponse, pack_request, take_responses


class _Link(asyncio.Protocol):
    """The server's end of the socket pair: answers find the futures that wait for them."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.waiting: dict[int, asyncio.Future[ScoringResponse]] = {ALIVE: loop.create_future()}
        self.closed: asyncio.Future[None] = loop.create_future()
        self.transport: JoinedWrites | None = None
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = JoinedWrites(cast("asyncio.Transport", transport))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        for answer in take_responses(self._buffer):
            future = self.waiting.pop(answer.number, None)
            if future is not None and not future.done():
                future.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(ProcessDied("The model's process ended while it worked on the request."))
                future.exception()  # nobody may be waiting any more
        self.waiting.clear()
        if not self.closed.done():
            self.closed.set_result(None)


class ScoringProcess:
    """One process that serves an MLflow model. `document` describes the model, as OpenAPI."""

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        folder: Path,
        log: DeploymentLog,
        document: bytes = b"{}",
    ) -> None:
        self._document = document
        self._command = command
        self._environ = environ
        self._folder = folder
        self._log = log
        self._output: ProcessOutput | None = None
        self._numbers = itertools.count(1)
        self._link: _Link | None = None
        self._process: Process | None = None

    async def start(self) -> None:
        """Start the process and wait until it has loaded the model. Raises `ProcessDied`."""
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        self._output = await capture_output(self._log)
        with theirs, self._output.writer() as output:
            _, self._link = await loop.create_unix_connection(_Link, sock=ours)
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                str(theirs.fileno()),
                cwd=self._folder,
                env=dict(self._environ),
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # and a process group of its own, which ends with it
            )
        await self._link.waiting[ALIVE]

    def watch(self, lost: Callable[[], None]) -> None:
        """Do nothing: it has no workers."""

    def ask(
        self, body: bytes, content_type: str, headers: Mapping[str, str] = NO_HEADERS
    ) -> asyncio.Future[ScoringResponse]:
        """Send a request; the future holds its answer or `ProcessDied`. A model has no use for `headers`."""
        del headers
        return self._send(ScoringRequest(next(self._numbers) & 0xFFFFFFFF or next(self._numbers), body, content_type))

    def ping(self) -> asyncio.Future[ScoringResponse]:
        """Ask whether the process answers."""
        link = self._link
        waiting = link.waiting.get(ALIVE) if link else None
        return waiting if waiting is not None else self._send(ScoringRequest(ALIVE))

    def _send(self, request: ScoringRequest) -> asyncio.Future[ScoringResponse]:
        future: asyncio.Future[ScoringResponse] = asyncio.get_running_loop().create_future()
        link = self._link
        if link is None or link.transport is None or link.transport.is_closing() or link.closed.done():
            future.set_exception(NotSent("The model's process is not there."))
            return future
        link.waiting[request.number] = future
        link.transport.write(pack_request(request))
        return future

    async def describe(self, version: str) -> ScoringResponse:  # noqa: ARG002 - there is one
        """Return the OpenAPI document."""
        return ScoringResponse(0, 200, self._document)

    async def ended(self) -> int:
        """Wait for the end of the process and return its exit code."""
        return await self._process.wait() if self._process else 0

    async def stop(self) -> None:
        """End the process and all that it started."""
        if self._link is not None and self._link.transport is not None:
            self._link.transport.close()
        if self._process is not None:
            kill_group(self._process.pid)
            await self._process.wait()
        if self._output is not None:
            await self._output.finish()


def kill_group(leader: int) -> None:
    """End what is left of a process group."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        return
