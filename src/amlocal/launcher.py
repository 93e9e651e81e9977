"""Servers from the outside: start one that outlives the terminal, find it, stop it."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from amlocal import state
from amlocal.client import client_environ
from amlocal.core.context import Identity
from amlocal.core.errors import AmlocalError
from amlocal.core.paths import WorkspaceFolder, naming
from amlocal.identity.secrets import load_secrets
from amlocal.settings import Settings

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that runs."""

    folder: WorkspaceFolder
    origin: str
    pid: int
    lenient: bool = False

    @property
    def identity(self) -> Identity:
        """The names of its workspace."""
        return state.read_identity(self.folder)[0]

    def environ(self) -> dict[str, str]:
        """Return the variables that lead a program here."""
        secrets = load_secrets(self.folder.secrets)
        return client_environ(self.origin, self.folder, self.identity, secrets, environ=os.environ)


def find(folder: WorkspaceFolder) -> RunningServer | None:
    """Return the server that runs on a workspace's folder, or None."""
    server = state.read_server(folder)
    if server is None or not _alive(server.pid) or not state.is_locked(folder):
        return None
    return RunningServer(folder, server.origin, server.pid, server.lenient)


def _alive(pid: int) -> bool:
    # Most files that a killed server left are told apart here, without touching a lock that a new one may want.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def folders(root: Path) -> list[WorkspaceFolder]:
    """Return the folders of the workspaces below `root`, by name."""
    return [WorkspaceFolder(path.parent.absolute()) for path in sorted(root.glob("*/identity.json"))]


def find_any(root: Path) -> Iterator[RunningServer]:
    """Yield every server that runs on a folder below `root`."""
    return (running for folder in folders(root) if (running := find(folder)))


def start(settings: Settings) -> RunningServer:
    """Start a server in the background, or return the one that runs already.

    Returns when it takes requests. Raises `AmlocalError` with the server's own reason when it does not come up, when
    the workspace has other names than those asked for, and when it refuses what Azure refuses although it was to be
    lenient.
    """
    settings.folder.create()
    with state.starting(settings.folder):
        running = find(settings.folder) or _launch(settings)
    state.check_names(settings, running.identity)
    if settings.lenient and not running.lenient:
        raise AmlocalError(
            f"Workspace {settings.workspace} is up already, and not lenient. Stop it with 'amlocal down' first."
        )
    return running


def _launch(settings: Settings) -> RunningServer:
    with naming(settings.folder.log):
        log = settings.folder.log.open("ab")
    read_end, write_end = os.pipe()  # not among the arguments, which everybody on the machine can list
    os.write(write_end, settings.to_json().encode())
    os.close(write_end)
    reader, writer = os.pipe()
    with log, os.fdopen(reader, encoding="utf-8") as answer:
        process = subprocess.Popen(  # noqa: S603 - this program itself
            [sys.executable, "-m", "amlocal", "serve", "--settings", "-", "--ready-fd", str(writer)],
            stdin=read_end,
            stdout=log,
            stderr=log,
            pass_fds=[writer],
            # Its log is read as UTF-8, whatever this terminal takes.
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            start_new_session=True,
        )
        os.close(read_end)
        os.close(writer)
        reply = _read_line(answer)
        if reply is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()  # it has left the server to itself
    if reply is None:
        raise AmlocalError(f"The server did not come up within {START_TIMEOUT_S:.0f} s; see {settings.folder.log}.")
    if reply and not reply.startswith("ready "):
        raise AmlocalError(reply)
    if running := find(settings.folder):
        return running
    raise AmlocalError(f"The server ended while it started; its log is {settings.folder.log}.")


def _read_line(answer: TextIO) -> str | None:
    """Return the one line that a starting server writes: empty when it ended without, None when it took too long."""
    line: list[str] = []
    reader = threading.Thread(target=lambda: line.append(answer.readline()), daemon=True)
    reader.start()
    reader.join(START_TIMEOUT_S)
    return line[0].strip() if line else None


def stop(running: RunningServer) -> None:
    """Stop a server and wait until it has let go of its folder. Raises `AmlocalError` when it will not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself
            os.kill(running.pid, number)
        if _released(running.folder, STOP_TIMEOUT_S):
            return
    raise AmlocalError(f"Process {running.pid} does not end.")


def _released(folder: WorkspaceFolder, timeout_s: float) -> bool:
    """Wait for the folder's lock, which the kernel takes from a process that ends however it ends."""

    def wait() -> None:
        with folder.lock.open("a+") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)

    waiter = threading.Thread(target=wait, daemon=True)
    waiter.start()
    waiter.join(timeout_s)
    return not waiter.is_alive()
