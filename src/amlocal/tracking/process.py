"""MLflow's process: started behind the workspace's own start, watched, started again when it died."""

import asyncio
import logging
import secrets
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from amlocal.tracking.errors import TrackingUnavailable
from amlocal.tracking.layout import ARTIFACT_ROOT, DATABASE, LENIENT_VARIABLE, PREFIX, SECRET_VARIABLE

# -P: the folder that it runs in is not one to import from
COMMAND = (sys.executable, "-P", "-m", "amlocal.tracking.child")
_LOG = logging.getLogger("amlocal")
_TAIL_BYTES, _TAIL_LINES = 4096, 5
_DYING_S = 2.0
_LONGEST_PAUSE_S = 60.0
_FAREWELL_S = 5.0


@dataclass(frozen=True, slots=True)
class Address:
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
        self._launching: asyncio.Task[Address] | None = None
        self._process: Process | None = None
        self._failures = 0
        self._not_before = 0.0

    def start(self) -> asyncio.Task[Address]:
        """Begin the start unless MLflow is up or on its way. Raises `TrackingUnavailable` soon after a failed one."""
        if self._launching is not None and (not self._launching.done() or self._alive()):
            return self._launching
        if (pause := self._not_before - self._clock()) > 0:
            raise TrackingUnavailable(f"{self._failed()} The next try is in {pause:.0f} s.")
        self._launching = asyncio.create_task(self._launch())
        self._launching.add_done_callback(_report)
        return self._launching

    async def address(self) -> Address:
        """Return where MLflow answers as soon as it does, starting it if need be. Raises `TrackingUnavailable`."""
        # Shielded: a client that goes away does not end the start that others wait for.
        return await asyncio.shield(self.start())

    async def ended(self) -> bool:
        """Tell whether the process is gone, giving one that dies a moment to be so."""
        if self._process is None:
            return True
        try:
            async with asyncio.timeout(_DYING_S):
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
            await _end(self._process)

    def _alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def _launch(self) -> Address:
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
        return Address(port, secret)

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
        await _end(process)
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


async def _end(process: Process) -> None:
    cast("asyncio.StreamWriter", process.stdin).close()
    try:
        async with asyncio.timeout(_FAREWELL_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _report(launching: asyncio.Task[Address]) -> None:
    """Log a start that failed, whether or not a call waits for it."""
    if not launching.cancelled() and (error := launching.exception()) is not None:
        _LOG.error("%s", error)
