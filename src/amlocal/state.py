"""The workspace's folder made ready: names, secrets, certificates, and the lock that one server holds."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import TextIO

from amlocal.core.context import Identity, azure_date, random_ids, system_clock
from amlocal.core.errors import AmlocalError
from amlocal.core.paths import WorkspaceFolder, naming, read_texts, write_private
from amlocal.identity.authority import ensure_certificates
from amlocal.settings import DEFAULT_GROUP, DEFAULT_SUBSCRIPTION, Settings

_IDENTITY_KEYS = (*(field.name for field in fields(Identity)), "created")


class WorkspaceInUse(AmlocalError):
    """Another server runs on the folder."""


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a server writes about itself, for others to reach it; `lenient` as in its settings."""

    pid: int
    origin: str
    lenient: bool = False


def acquire(folder: WorkspaceFolder) -> TextIO:
    """Take the folder's lock, for as long as the file that is returned stays open. Raises `WorkspaceInUse`."""
    with naming(folder.lock):
        lock = folder.lock.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        server = read_server(folder)
        which = f"process {server.pid}, {server.origin}" if server else "it is just starting"
        raise WorkspaceInUse(
            f"A server already runs on {folder.root} ({which}). Use it, or stop it with 'amlocal down'."
        ) from error
    return lock


def is_locked(folder: WorkspaceFolder) -> bool:
    """Return whether a server runs on the folder. The kernel takes the lock from a process however it ends."""
    try:
        with folder.lock.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: others may look at the same moment
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextmanager
def starting(folder: WorkspaceFolder) -> Iterator[None]:
    """Let one program at a time find out that no server runs, and start it. The others wait for it."""
    path = folder.root / "start.lock"
    with naming(path):
        lock = path.open("a+")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def read_server(folder: WorkspaceFolder) -> ServerInfo | None:
    """Return what a server wrote about itself, or None. It may have been killed since."""
    try:
        content = json.loads(folder.server.read_text())
        return ServerInfo(int(content["pid"]), str(content["origin"]), content.get("lenient") is True)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def write_server(folder: WorkspaceFolder, origin: str, *, lenient: bool = False) -> None:
    """Tell others how to reach this server, and whether it is lenient."""
    write_private(folder.server, json.dumps(asdict(ServerInfo(os.getpid(), origin, lenient))).encode())


def read_identity(folder: WorkspaceFolder) -> tuple[Identity, str]:
    """Return the names of the workspace in a folder and the date at which it was made.

    Raises `AmlocalError` when there is none or its file is damaged.
    """
    if not folder.identity.exists():
        raise AmlocalError(f"There is no workspace in {folder.root}.")
    stored = read_texts(folder.identity, _IDENTITY_KEYS)
    created = stored.pop("created")
    return Identity(**stored), created


def open_identity(settings: Settings) -> tuple[Identity, str]:
    """Return `read_identity`; a new folder gets the names of `settings` first.

    Raises `AmlocalError` when the folder belongs to a workspace of other names.
    """
    if not settings.folder.identity.exists():
        identity = Identity(
            settings.subscription or DEFAULT_SUBSCRIPTION,
            settings.resource_group or DEFAULT_GROUP,
            settings.workspace,
            guid=random_ids(),
        )
        content = asdict(identity) | {"created": azure_date(system_clock())}
        write_private(settings.folder.identity, json.dumps(content, indent=2).encode())
    identity, created = read_identity(settings.folder)
    check_names(settings, identity)
    return identity, created


def check_names(settings: Settings, identity: Identity) -> None:
    """Raise `AmlocalError` unless the workspace has the names that are asked for; Azure's names know no case."""
    wanted = {
        "name": settings.workspace,
        "resource_group": settings.resource_group,
        "subscription": settings.subscription,
    }
    for key, value in wanted.items():
        stored = getattr(identity, key)
        if value is not None and stored.lower() != value.lower():
            raise AmlocalError(
                f"{settings.folder.root} holds a workspace with {key} {stored!r}, not {value!r}. "
                "Name another --root or --workspace, or start anew with 'amlocal reset'."
            )


def prepare(settings: Settings, environ: Mapping[str, str]) -> tuple[Identity, str]:
    """Make the folder ready for a server and return `open_identity`."""
    opened = open_identity(settings)
    ensure_certificates(settings.folder, opened[0].name, system_clock(), environ)
    return opened
