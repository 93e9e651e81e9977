"""The server process: one TLS port on loopback."""

import asyncio
import contextlib
import ctypes
import errno
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, cast

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from amlocal import state
from amlocal.client import direct_environ
from amlocal.connections import Connection, ConnectionLimiter, ConnectionLimits, raise_descriptors
from amlocal.core.context import Identity
from amlocal.core.errors import AmlocalError
from amlocal.core.paths import naming, write_private
from amlocal.settings import LENIENT, Settings

HOST = "127.0.0.1"  # and no other: amlocal runs other people's code
_BACKLOG = 512
# Of glibc's malloc.h: how much free memory at its end a heap keeps, from which size on a block is a mapping of its own,
# and how many heaps there are. By its own choice each of the three grows with the largest request.
_MALLOC = {-1: 2**17, -3: 2**17, -8: 2}
_SWITCH_S = 0.001  # for so long the event loop waits for a thread that is busy in Python; Python's own choice is 5 ms


class _Server(uvicorn.Server):
    """Takes requests at one socket, by way of a limiter that bounds what callers cost, and tells when it does."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], limits: ConnectionLimits | None = None
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._limits = limits or ConnectionLimits()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application and accept connections. uvicorn's own way takes any number of them for any time."""
        await self.lifespan.startup()
        if self.lifespan.should_exit or self.config.ssl is None:
            sys.exit(STARTUP_FAILURE)
        (listener,) = cast("list[socket.socket]", sockets)
        listener.setblocking(False)
        listener.listen(_BACKLOG)
        most = raise_descriptors(self._limits)
        self.servers = [ConnectionLimiter(listener, self._connection, self.config.ssl, self._limits, most)]  # type: ignore[list-item]
        self.started = True
        sys.setswitchinterval(_SWITCH_S)
        gc.freeze()  # what is loaded stays: looking through it again and again would make requests wait
        self._ready()

    def _connection(self, limiter: ConnectionLimiter) -> Connection:
        return Connection(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state, limiter=limiter
        )

    def handle_exit(self, sig: int, _: FrameType | None) -> None:
        """End well. uvicorn's own way raises the signal again at the end: nothing after it would be tidied up."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def _bind(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except (OSError, OverflowError):
        listener.close()
        raise
    return listener


def listen(settings: Settings) -> socket.socket:
    """Return a bound socket: the port asked for, or the last one, or, when that is taken by now, any free one.

    URLs that clients kept stay good as long as the port does. Raises `AmlocalError` when the port asked for is taken.
    """
    if settings.port:
        return _bind_or_say_why(settings.port)
    try:
        return _bind(_last_port(settings))
    except (OSError, OverflowError):
        return _bind(0)


def _bind_or_say_why(port: int) -> socket.socket:
    try:
        return _bind(port)
    except OverflowError as error:
        raise AmlocalError(f"There is no port {port}; ports go from 1 to 65535.") from error
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise AmlocalError(f"Port {port} cannot be opened: {error.strerror}.") from error
        raise AmlocalError(f"Port {port} is in use. Name another with --port, or leave it out.") from error


def _last_port(settings: Settings) -> int:
    path = settings.folder.root / "port"
    text = path.read_text().strip() if path.exists() else ""
    return int(text) if text.isdecimal() else 0


def configure_log(path: Path | None) -> None:
    """Send the server's log to a file, or to standard error."""
    handler: logging.Handler = logging.StreamHandler()
    if path:
        with naming(path):
            handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    # Python's logging HOWTO, "Optimization": no line names these, and each request would look them up.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    for name, level in (("amlocal", logging.INFO), ("uvicorn.error", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(level)
        logger.propagate = False


def serve(settings: Settings, ready: Callable[[Identity, str], None]) -> None:
    """Serve a workspace until SIGINT or SIGTERM; `ready` gets its names and origin once requests are taken.

    Raises `AmlocalError` when the folder or the port cannot be had, or the workspace cannot be opened.
    """
    os.environ.update(direct_environ(os.environ))  # for all that this process starts
    _give_memory_back()
    folder = settings.folder
    folder.create()
    with state.acquire(folder):
        identity, created = state.prepare(settings, os.environ)
        with listen(settings) as listener:
            port = listener.getsockname()[1]
            write_private(folder.root / "port", str(port).encode())
            origin = f"https://{HOST}:{port}"

            def announce() -> None:
                state.write_server(folder, origin, lenient=settings.lenient)
                if settings.lenient:
                    logging.getLogger("amlocal").warning(LENIENT)
                ready(identity, origin)

            # After the lock: only now is it certain that this process shall load and run the APIs.
            from amlocal.assembly import build  # noqa: PLC0415

            with naming(folder.root):
                app = build(settings, identity, created, origin)
            try:
                _run(app, listener, folder.certificate, announce)
            finally:
                folder.server.unlink(missing_ok=True)


def _give_memory_back() -> None:
    """Have what large requests took given back to the system, where the C library is one that would keep it."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for setting, value in _MALLOC.items():
            mallopt(setting, value)


def configure(app: Any, certificate: Path, limits: ConnectionLimits) -> uvicorn.Config:
    """Return how uvicorn serves `app`."""
    return uvicorn.Config(
        app,
        http=Connection,
        loop="uvloop",
        ssl_certfile=certificate,
        log_config=None,
        access_log=False,
        proxy_headers=False,  # there is none on loopback
        server_header=False,
        timeout_keep_alive=round(limits.idle_s),
        timeout_graceful_shutdown=1,  # an idle client does not answer the end of TLS, and would be waited for
        lifespan="on",
    )


def _run(app: Any, listener: socket.socket, certificate: Path, ready: Callable[[], None]) -> None:
    config = configure(app, certificate, ConnectionLimits())
    server = _Server(config, ready)
    # uvicorn exits by itself when the application does not start; the caller has things to tidy up.
    with contextlib.suppress(SystemExit), asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets=[listener]))
    if not server.started:
        raise AmlocalError(
            getattr(app, "failed", None) or "The workspace could not be opened; the lines above say why."
        )
