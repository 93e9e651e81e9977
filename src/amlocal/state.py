"""The workspace's folder made ready: names, secrets, certificates, and the lock that one server holds."""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TextIO

from amlocal.assets.store import check_name
from amlocal.core.clock import random_ids, system_clock
from amlocal.core.context import Identity
from amlocal.core.errors import AmlocalError
from amlocal.core.paths import Folder, write_private
from amlocal.core.wire import azure_date
from amlocal.identity.authority import ensure_certificates
from amlocal.settings import Settings


class Held(AmlocalError):
    """Another server runs on the folder."""


def acquire(folder: Folder) -> TextIO:
    """Take the folder's lock, for as long as the file that is returned stays open. Raises `Held`."""
    lock = folder.lock.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        running = read_server(folder) or {}
        raise Held(
            f"A server already runs on {folder.root} (process {running.get('pid', 'unknown')}, "
            f"{running.get('origin', 'address unknown')}). Use it, or stop it with 'amlocal down'."
        ) from error
    return lock


def is_held(folder: Folder) -> bool:
    """Tell whether a server runs on the folder."""
    try:
        acquire(folder).close()
    except (Held, FileNotFoundError) as error:
        return isinstance(error, Held)
    return False


def read_server(folder: Folder) -> dict[str, Any] | None:
    """Return what the running server wrote about itself, or None."""
    try:
        content: dict[str, Any] = json.loads(folder.server.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return content


def write_server(folder: Folder, origin: str) -> None:
    """Tell others how to reach this server."""
    write_private(folder.server, json.dumps({"pid": os.getpid(), "origin": origin}).encode())


def open_identity(settings: Settings) -> tuple[Identity, str]:
    """Return the workspace's identity and the date at which it was made; a new folder gets the names of `settings`.

    Raises `AmlocalError` when the folder belongs to a workspace of other names.
    """
    path = settings.folder.identity
    wanted = {
        "subscription": settings.subscription,
        "resource_group": settings.resource_group,
        "name": check_name(settings.workspace, "workspace name"),
    }
    if not path.exists():
        identity = Identity(**wanted, guid=random_ids())
        content = asdict(identity) | {"created": azure_date(system_clock())}
        write_private(path, json.dumps(content, indent=2).encode())
    try:
        stored = json.loads(path.read_text())
        created = stored.pop("created")
        identity = Identity(**stored)
    except (ValueError, KeyError, TypeError) as error:
        raise AmlocalError(f"{path} is damaged: {error}. Restore it, or start anew with 'amlocal reset'.") from error
    for key, value in wanted.items():
        if stored[key].lower() != value.lower():
            raise AmlocalError(
                f"{settings.folder.root} holds a workspace with {key} {stored[key]!r}, not {value!r}. "
                "Name another --root or --workspace, or start anew with 'amlocal reset'."
            )
    return identity, created


def prepare(settings: Settings, environ: Mapping[str, str]) -> tuple[Identity, str]:
    """Make the folder ready for a server and return `open_identity`."""
    opened = open_identity(settings)
    ensure_certificates(settings.folder, opened[0].name, system_clock(), environ)
    return opened
