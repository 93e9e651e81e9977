"""MLflow's process: started behind the workspace's own start, watched, started again when it died, and asked.

MLflow's server speaks HTTP/1.0 on loopback, a connection for each request, and builds each response whole before it
sends it: no client library, no pool, nothing to retry.
"""

import asyncio
import logging
import secrets
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import parse_headers
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from amlocal.tracking.errors import TrackingUnavailable
from amlocal.tracking.protocol import ARTIFACT_ROOT, DATABASE, LENIENT_VARIABLE, PREFIX, SECRET_HEADER, SECRET_VARIABLE

# -P: the folder that it runs in is not one to import from
COMMAND = (sys.executable, "-P", "-m", "amlocal.tracking.child")
_LOG = logging.getLogger("amlocal")
_TAIL_BYTES, _TAIL_LINES = 4096, 5
_EXIT_WAIT_S = 2.0
_LONGEST_PAUSE_S = 60.0
_STOP_TIMEOUT_S = 5.0
# What a request may bring along. Credentials stop here, and so do the names of hosts and connections.
_PASSED_ON = ("accept", "content-encoding", "content-type", "if-modified-since", "if-none-match", "range", "user-agent")
_KEPT_BACK = ("connection", "content-length", "date", "server")  # said anew on the way to the client


@dataclass(frozen=True, slots=True)
class MlflowAddress:
    """Where MLflow answers on loopback, and the header value that it asks for."""

    port: int
    secret: str


def child_environ(environ: Mapping[str, str], secret: str, *, lenient: bool = False) -> dict[str, str]:
    """Return the environment of MLflow's process: nothing that the user set for MLflow's *client* reaches the server.

    The names with an underscore are how MLflow's command line tells its server processes (mlflow.server.constants).
    """
    kept = {name: value for name, value in environ.items() if not name.startswith(("MLFLOW_", "_MLFLOW_"))}
    return kept | {
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{DATABASE}",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": ARTIFACT_ROOT,
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "false",  # the workspace does, from its blobs
        "_MLFLOW_STATIC_PREFIX": PREFIX,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        SECRET_VARIABLE: secret,
        **({LENIENT_VARIABLE: "1"} if lenient else {}),
    }


class MlflowProcess:
    """Keeps one MLflow server for the files in `folder`; its output goes to `mlflow.log` there.

    It keeps Azure's limits, unless `lenient`.
    """

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        *,
        lenient: bool = False,
        command: Sequence[str] = COMMAND,
        start_timeout_s: float = 120.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._environ = environ
        self._lenient = lenient
        self._command = command
        self._start_timeout_s = start_timeout_s
        self._clock = clock
        self._launching: asyncio.Task[MlflowAddress] | None = None
        self._process: Process | None = None
        self._failures = 0
        self._not_before = 0.0

    def start(self) -> asyncio.Task[MlflowAddress]:
        """Begin the start unless MLflow is up or on its way. Raises `TrackingUnavailable` soon after a failed one."""
        if self._launching is not None and (not self._launching.done() or self._alive()):
            return self._launching
        if (pause := self._not_before - self._clock()) > 0:
            raise TrackingUnavailable(f"{self._failed()} The next try is in {pause:.0f} s.")
        self._launching = asyncio.create_task(self._launch())
        self._launching.add_done_callback(_log_failed_start)
        return self._launching

    async def address(self) -> MlflowAddress:
        """Return where MLflow answers as soon as it does, starting it if need be. Raises `TrackingUnavailable`."""
        # Shielded: a client that goes away does not end the start that others wait for.
        return await asyncio.shield(self.start())

    async def ended(self) -> bool:
        """Return whether the process is gone, giving one that dies a moment to be so."""
        if self._process is None:
            return True
        try:
            async with asyncio.timeout(_EXIT_WAIT_S):
                await self._process.wait()
        except TimeoutError:
            return False
        return True

    async def stop(self) -> None:
        """End the process, by closing its pipe or, if it does not listen, by force."""
        if self._launching is not None:
            self._launching.cancel()
            await asyncio.wait([self._launching])
        if self._process is not None:
            await _end_process(self._process)

    def _alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def _launch(self) -> MlflowAddress:
        secret = secrets.token_urlsafe(32)
        with self._open_log() as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=log,
                cwd=self._folder,
                env=child_environ(self._environ, secret, lenient=self._lenient),
                start_new_session=True,  # Ctrl+C in a terminal is for the workspace, which then ends this one
            )
        port = await self._port(self._process)
        self._failures = 0
        return MlflowAddress(port, secret)

    async def _port(self, process: Process) -> int:
        """Return the port that the process reports in its first line."""
        pipe = cast("asyncio.StreamReader", process.stdout)
        try:
            async with asyncio.timeout(self._start_timeout_s):
                line = await pipe.readline()
        except TimeoutError:
            line = b""
        if line.strip().isdigit():
            return int(line)
        await _end_process(process)
        self._failures += 1
        self._not_before = self._clock() + min(2.0**self._failures, _LONGEST_PAUSE_S)
        raise TrackingUnavailable(self._failed())

    def _open_log(self) -> BinaryIO:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return self._log.open("ab")
        except OSError as error:
            raise TrackingUnavailable(
                f"MLflow's server did not start: {self._log} cannot be written ({error.strerror})."
            ) from error

    @property
    def _log(self) -> Path:
        return self._folder / "mlflow.log"

    def _failed(self) -> str:
        return f"MLflow's server did not start. {self._last_words()}"

    def _last_words(self) -> str:
        with self._log.open("rb") as log:
            log.seek(max(0, self._log.stat().st_size - _TAIL_BYTES))
            lines = log.read().decode(errors="replace").splitlines()[-_TAIL_LINES:]
        return f"The last lines of {self._log}: {' | '.join(lines) or 'none'}."


async def _end_process(process: Process) -> None:
    cast("asyncio.StreamWriter", process.stdin).close()
    try:
        async with asyncio.timeout(_STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _log_failed_start(launching: asyncio.Task[MlflowAddress]) -> None:
    """Log a start that failed, whether or not a call waits for it."""
    if not launching.cancelled() and (error := launching.exception()) is not None:
        _LOG.error("%s", error)


class MlflowResponse(NamedTuple):
    """What MLflow said."""

    status: int
    headers: dict[str, str]
    body: bytes


async def send_request(
    address: MlflowAddress, method: str, target: str, headers: Mapping[str, str], content: bytes
) -> MlflowResponse:
    """Send a request to MLflow and return its answer, unchanged. Raises `TrackingUnavailable` when none comes.

    `target` is the raw path and query; keys of `headers` are in lower case, those that do not concern MLflow are
    left out.
    """
    request = _head(address, method, target, headers, len(content)) + content
    try:
        return await _exchange(address.port, request)
    except (OSError, asyncio.IncompleteReadError) as error:
        raise TrackingUnavailable(f"MLflow's server went away before it answered {method} {target}.") from error


def _head(address: MlflowAddress, method: str, target: str, headers: Mapping[str, str], length: int) -> bytes:
    lines = [f"{method} {target} HTTP/1.0", f"Host: 127.0.0.1:{address.port}", f"{SECRET_HEADER}: {address.secret}"]
    lines += [f"{name}: {headers[name]}" for name in _PASSED_ON if name in headers]
    lines += [f"Content-Length: {length}", "", ""]
    return "\r\n".join(lines).encode("latin-1")


async def _exchange(port: int, request: bytes) -> MlflowResponse:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        await writer.drain()
        lines = BytesIO(await reader.readuntil(b"\r\n\r\n"))
        status = int(lines.readline().split()[1])
        headers = parse_headers(lines)
        length = headers.get("Content-Length")
        # The end of the stream comes late: Werkzeug looks for 10 ms whether the request has more to it, then closes.
        body = await (reader.read() if length is None else reader.readexactly(int(length)))
    finally:
        writer.close()
    return MlflowResponse(
        status, {name: value for name, value in headers.items() if name.lower() not in _KEPT_BACK}, body
    )
