"""The user's scoring script as the server sees it: Microsoft's inference server behind a Unix socket.

Of a caller's headers those pass to it, and of its own those pass back, that are neither a connection's nor Azure's.
"""

import asyncio
import os
import shutil
import socket
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import Callable, Iterable, Mapping, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path

import httpx

from amlocal.jobs import supervisor
from amlocal.online.deployment_logs import DeploymentLog, ProcessOutput, capture_output
from amlocal.online.errors import NotSent, ProcessDied, WorkerDied
from amlocal.online.pool import NO_HEADERS
from amlocal.online_scoring.link import ScoringResponse
from amlocal.online_scoring.script_server import PORT, WORKER_ENDS

_GRACE_S = 5.0
_LOOK_S = 0.1  # gunicorn has no other way to say that it listens
# RFC 9110, 7.6.1, and what is said anew on each connection.
_HOP_BY_HOP = {
    "connection", "content-length", "host", "keep-alive", "proxy-authenticate", "proxy-authorization",
    "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect",
}  # fmt: skip
# The endpoint's key or token is for the endpoint: a script is not to learn it.
_FROM_CALLER = _HOP_BY_HOP | {"authorization", "content-type", "accept-encoding"}
# The body comes decoded, and its type beside it.
_FROM_SCRIPT = _HOP_BY_HOP | {"content-encoding", "content-type", "date", "server"}
_AZURE_PREFIXES = ("azureml-model-", "ms-azureml-", "x-ms-run-", "x-ms-request-id", "x-request-id")


def to_script(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a call, keys in lower case, that reach the script."""
    return {name: value for name, value in headers.items() if name not in _FROM_CALLER}


def from_script(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the headers of an answer that reach the caller, keys in lower case, those of one name joined."""
    found: dict[str, str] = {}
    for key, value in headers:
        name = key.lower()
        if name not in _FROM_SCRIPT and not name.startswith(_AZURE_PREFIXES):
            found[name] = f"{found[name]}, {value}" if name in found else value
    return found


class _WorkerEnds(asyncio.DatagramProtocol):
    """Hears of each worker that has ended."""

    def __init__(self) -> None:
        self.lost: Callable[[], None] = lambda: None

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - asyncio's signature
        self.lost()


class ScriptProcess:
    """One inference server. It runs under the supervisor, as its own processes do not notice when amlocal is killed."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], folder: Path, log: DeploymentLog) -> None:
        self._command = command
        self._environ = environ
        self._folder = folder
        self._log = log
        self._socket_folder = Path(tempfile.mkdtemp(prefix="amlocal-"))  # short, as the path of a socket must be
        address = self._socket_folder / "s"
        self._address = str(address)
        transport = httpx.AsyncHTTPTransport(uds=f"{address}:{PORT}", limits=httpx.Limits(max_connections=None))
        # Its time is up when the router says so. It keeps no cookie: the next request is another caller's.
        keeps_none = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        self._client = httpx.AsyncClient(
            transport=transport,
            base_url="http://model",
            timeout=None,  # noqa: S113
            trust_env=False,
            cookies=keeps_none,
        )
        self._process: Process | None = None
        self._lifeline: int | None = None
        self._output: ProcessOutput | None = None
        self._pong: asyncio.Task[ScoringResponse] | None = None
        self._worker_ends = _WorkerEnds()
        self._ends_socket: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        """Start the server and wait until the script's `init` is through. Raises `ProcessDied`."""
        await self._listen_for_worker_ends()
        reader, self._lifeline = os.pipe()
        self._output = await capture_output(self._log)
        wrapped = (sys.executable, "-I", "-S", supervisor.__file__, str(_GRACE_S), "--", *self._command, self._address)
        try:
            with self._output.writer() as output:
                self._process = await asyncio.create_subprocess_exec(
                    *wrapped,
                    cwd=self._folder,
                    env=dict(self._environ),
                    stdin=reader,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
        finally:
            os.close(reader)
        while not await self._healthy():
            if self._process.returncode is not None:
                raise ProcessDied("The inference server ended.")
            await asyncio.sleep(_LOOK_S)

    def watch(self, lost: Callable[[], None]) -> None:
        """Have `lost` called when a worker of the server has ended: it starts another."""
        self._worker_ends.lost = lost

    def ask(
        self, body: bytes, content_type: str, headers: Mapping[str, str] = NO_HEADERS
    ) -> asyncio.Future[ScoringResponse]:
        """Send a request with the caller's headers; the future holds its answer or `ProcessDied`."""
        return asyncio.ensure_future(self._ask(body, content_type, headers))

    def ping(self) -> asyncio.Future[ScoringResponse]:
        """Ask whether the server answers. One question is under way at a time: a script that hangs gathers none."""
        if self._pong is None or self._pong.done():
            self._pong = asyncio.create_task(self._ping())
        return self._pong

    async def describe(self, version: str) -> ScoringResponse:
        """Return the document that the inference server makes of the script's own decorators."""
        return await self._http("GET", f"/swagger.json?version={version}")

    async def ended(self) -> int:
        """Wait for the end of the server and return its exit code."""
        return await self._process.wait() if self._process else 0

    async def stop(self) -> None:
        """End the server and all that it started."""
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None
        if self._process is not None:
            await self._process.wait()
        if self._pong is not None:
            self._pong.cancel()
        if self._ends_socket is not None:
            self._ends_socket.close()
        if self._output is not None:
            await self._output.finish()
        await self._client.aclose()
        shutil.rmtree(self._socket_folder, ignore_errors=True)

    async def _listen_for_worker_ends(self) -> None:
        ends = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        ends.setblocking(False)
        ends.bind(str(self._socket_folder / WORKER_ENDS))
        loop = asyncio.get_running_loop()
        self._ends_socket, _ = await loop.create_datagram_endpoint(lambda: self._worker_ends, sock=ends)

    async def _healthy(self) -> bool:
        try:
            return (await self._client.get("/")).status_code == 200
        except httpx.TransportError:  # it does not listen yet
            return False

    async def _ping(self) -> ScoringResponse:
        while not await self._healthy():  # noqa: ASYNC110 - see _LOOK_S
            await asyncio.sleep(_LOOK_S)
        return ScoringResponse(0)

    async def _ask(self, body: bytes, content_type: str, headers: Mapping[str, str]) -> ScoringResponse:
        kind = {"content-type": content_type} if content_type else {}
        return await self._http("POST", "/score", body, to_script(headers) | kind)

    async def _http(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> ScoringResponse:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()]
            answer = await self._client.request(method, path, content=body, headers=raw)
        except httpx.ConnectError as error:
            raise NotSent("The inference server is not there.") from error
        except httpx.TransportError as error:
            raise WorkerDied(f"The script's process ended while it worked on the request: {error}") from error
        kind = answer.headers.get("Content-Type", "application/json")
        passed = from_script((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers.raw)
        return ScoringResponse(0, answer.status_code, answer.content, (loop.time() - started) * 1000, kind, passed)
