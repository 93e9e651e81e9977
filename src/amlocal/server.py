"""The server process: one TLS port on loopback."""

import asyncio
import contextlib
import errno
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from amlocal import state
from amlocal.core.context import Identity
from amlocal.core.errors import AmlocalError
from amlocal.core.writes import JoinedWrites
from amlocal.settings import LENIENT, Settings

HOST = "127.0.0.1"  # and no other: amlocal runs other people's code
_BACKLOG = 512


class _Protocol(HttpToolsProtocol):
    """uvicorn's, which writes the head of an answer and its body one after the other."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast("asyncio.Transport", JoinedWrites(transport)))


class _Server(uvicorn.Server):
    """Tells when it takes requests."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            gc.freeze()  # what is loaded stays: looking through it again and again would make requests wait
            self._ready()

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
    handler: logging.Handler = logging.FileHandler(path) if path else logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name, level in (("amlocal", logging.INFO), ("uvicorn.error", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(level)
        logger.propagate = False


def serve(settings: Settings, ready: Callable[[Identity, str], None]) -> None:
    """Serve a workspace until SIGINT or SIGTERM; `ready` gets its names and origin once requests are taken.

    Raises `AmlocalError` when the folder or the port cannot be had, or the workspace cannot be opened.
    """
    folder = settings.folder
    folder.create()
    with state.acquire(folder):
        identity, created = state.prepare(settings, os.environ)
        with listen(settings) as listener:
            port = listener.getsockname()[1]
            (folder.root / "port").write_text(str(port))
            origin = f"https://{HOST}:{port}"

            def announce() -> None:
                state.write_server(folder, origin, lenient=settings.lenient)
                if settings.lenient:
                    logging.getLogger("amlocal").warning(LENIENT)
                ready(identity, origin)

            # After the lock: only now is it certain that this process shall load and run the faces.
            from amlocal.assembly import build  # noqa: PLC0415

            app = build(settings, identity, created, origin)
            try:
                _run(app, listener, folder.certificate, announce)
            finally:
                folder.server.unlink(missing_ok=True)


def _run(app: Any, listener: socket.socket, certificate: Path, ready: Callable[[], None]) -> None:
    config = uvicorn.Config(
        app,
        http=_Protocol,
        loop="uvloop",
        ssl_certfile=certificate,
        backlog=_BACKLOG,
        log_config=None,
        access_log=False,
        proxy_headers=False,  # there is none on loopback
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,  # an idle client does not answer the end of TLS, and would be waited for
        lifespan="on",
    )
    server = _Server(config, ready)
    # uvicorn exits by itself when the application does not start; the caller has things to tidy up.
    with contextlib.suppress(SystemExit), asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets=[listener]))
    if not server.started:
        raise AmlocalError("The workspace could not be opened; the lines above say why.")
