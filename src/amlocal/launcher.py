"""Servers from the outside: start one that outlives the terminal, find it, stop it."""

import fcntl
import json
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
from amlocal.identity.secrets import load_secrets
from amlocal.settings import Settings

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs."""

    settings: Settings
    identity: Identity
    origin: str
    pid: int

    def environ(self) -> dict[str, str]:
        """Return the variables that lead a program here."""
        folder = self.settings.folder
        return client_environ(self.origin, folder, self.identity, load_secrets(folder.secrets))


def find(settings: Settings) -> Running | None:
    """Return the server that runs on the workspace's folder, or None."""
    server = state.read_server(settings.folder)
    if server is None or not state.is_held(settings.folder):
        return None
    identity, _ = state.open_identity(settings)
    return Running(settings, identity, server["origin"], server["pid"])


def find_any(root: Path) -> Iterator[Running]:
    """Yield every server that runs on a folder below `root`."""
    for path in sorted(root.glob("*/identity.json")):
        names = json.loads(path.read_text())
        settings = Settings(
            root=root,
            workspace=path.parent.name,
            resource_group=names["resource_group"],
            subscription=names["subscription"],
        )
        if running := find(settings):
            yield running


def stored_settings(settings: Settings) -> Settings:
    """Return `settings` with the resource group and subscription that the folder already has, if it exists."""
    path = settings.folder.identity
    if not path.exists():
        return settings
    names = json.loads(path.read_text())
    return Settings(
        root=settings.root,
        workspace=settings.workspace,
        resource_group=names["resource_group"],
        subscription=names["subscription"],
    )


def start(settings: Settings) -> Running:
    """Start a server in the background, or return the one that runs already.

    Returns when it takes requests. Raises `AmlocalError` with the server's own reason when it does not come up.
    """
    if running := find(settings):
        return running
    settings.folder.create()
    reader, writer = os.pipe()
    with settings.folder.log.open("ab") as log, os.fdopen(reader) as answer:
        process = subprocess.Popen(  # noqa: S603 - this program itself
            [sys.executable, "-m", "amlocal", "serve", "--settings", settings.to_json(), "--ready-fd", str(writer)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[writer],
            start_new_session=True,
        )
        os.close(writer)
        reply = _read_line(answer)
    if reply.startswith("ready "):
        return find(settings) or _gone(settings)
    if reply:
        raise AmlocalError(reply)
    if process.poll() is None:
        process.kill()
        raise AmlocalError(f"The server did not come up within {START_TIMEOUT_S:.0f} s; see {settings.folder.log}.")
    return _gone(settings)


def _gone(settings: Settings) -> Running:
    raise AmlocalError(f"The server ended while it started; its log is {settings.folder.log}.")


def _read_line(answer: TextIO) -> str:
    """Return the one line that a starting server writes; empty when it says nothing in time."""
    line: list[str] = []
    reader = threading.Thread(target=lambda: line.append(answer.readline()), daemon=True)
    reader.start()
    reader.join(START_TIMEOUT_S)
    return line[0].strip() if line else ""


def stop(running: Running) -> None:
    """Stop a server and wait until it has let go of its folder. Raises `AmlocalError` when it will not."""
    os.kill(running.pid, signal.SIGTERM)
    if _released(running.settings, STOP_TIMEOUT_S):
        return
    os.kill(running.pid, signal.SIGKILL)
    if not _released(running.settings, STOP_TIMEOUT_S):
        raise AmlocalError(f"Process {running.pid} does not end.")


def _released(settings: Settings, timeout_s: float) -> bool:
    """Wait for the folder's lock, which the kernel takes from a process that ends however it ends."""

    def wait() -> None:
        with settings.folder.lock.open("a+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)

    waiter = threading.Thread(target=wait, daemon=True)
    waiter.start()
    waiter.join(timeout_s)
    return not waiter.is_alive()
