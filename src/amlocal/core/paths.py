"""Where a workspace keeps what: the layout of its folder, and files that only their owner may read."""

import errno
import json
import os
import sqlite3
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from amlocal.core.errors import AmlocalError

# Control characters, halves of characters (bytes that are no text), line and paragraph separators.
_NOT_IN_PATHS = frozenset({"Cc", "Cs", "Zl", "Zp"})


# What the system says where a disk is full (or a quota reached, a file too large), or takes no writing.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SHUT = (errno.EROFS, errno.EACCES, errno.EPERM)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn what the file system, or SQLite on it, has against a write at `path` into an `AmlocalError` naming it."""
    try:
        yield
    except OSError as error:
        way = "Free some space" if error.errno in _FULL else "Make it writable" if error.errno in _SHUT else "See to it"
        reason = error.strerror or str(error)
        raise AmlocalError(f"{path} cannot be written: {reason}. {way}, or name another --root.") from error
    except sqlite3.OperationalError as error:
        raise AmlocalError(
            f"{path} cannot be written: {error}. See that its disk has space and is writable, or name another --root."
        ) from error


def write_private(path: Path, content: bytes) -> None:
    """Write a file of mode 0600, all of it or none: it appears under its name only when it is whole.

    Raises `AmlocalError` with the path when the disk does not take it.
    """
    with naming(path):
        _write_private(path, content)


def _write_private(path: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_texts(path: Path, keys: Iterable[str]) -> dict[str, str]:
    """Return a JSON object that holds a text under each of `keys`, and nothing else. Raises `AmlocalError`."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(content, dict) or set(content) != set(keys):
        raise _damaged(path, f"it must hold {', '.join(keys)} and nothing else")
    if not all(isinstance(value, str) and value for value in content.values()):
        raise _damaged(path, "its values must be texts, none of them empty")
    return content


def _damaged(path: Path, reason: str) -> AmlocalError:
    return AmlocalError(f"{path} is damaged: {reason}. Restore it, or start anew with 'amlocal reset'.")


@dataclass(frozen=True, slots=True)
class WorkspaceFolder:
    """The state of one workspace on disk."""

    root: Path

    def create(self) -> None:
        """Make the folders that are missing; only the owner may look inside.

        Raises `AmlocalError` for a path that no Python environment can lie at: what `PATH` is parted by, a line break,
        and bytes that are no text.
        """
        name = str(self.root)
        if any(each == os.pathsep or unicodedata.category(each) in _NOT_IN_PATHS for each in name):
            raise AmlocalError(
                f"Environments cannot lie in the folder {name!r}: its path holds a {os.pathsep!r}, a control character "
                "or bytes that are no UTF-8. Choose another with --root (AMLOCAL_ROOT)."
            )
        for path in (self.root, self.chunks, self.jobs, self.tracking, self.environments):
            with naming(path):
                path.mkdir(parents=True, exist_ok=True, mode=0o700)
        with naming(self.root):
            self.root.chmod(0o700)

    @property
    def database(self) -> Path:
        """SQLite: every resource, every blob's name."""
        return self.root / "workspace.db"

    @property
    def chunks(self) -> Path:
        """Blob content, by hash."""
        return self.root / "chunks"

    @property
    def jobs(self) -> Path:
        """A folder for each job that runs, and every job's log."""
        return self.root / "jobs"

    @property
    def tracking(self) -> Path:
        """MLflow's own files."""
        return self.root / "tracking"

    @property
    def environments(self) -> Path:
        """The cache of built environments."""
        return self.root / "environments"

    @property
    def lock(self) -> Path:
        """Held by the server that owns this folder."""
        return self.root / "server.lock"

    @property
    def server(self) -> Path:
        """How to reach the server that runs (JSON; gone when it stops)."""
        return self.root / "server.json"

    @property
    def log(self) -> Path:
        """What a detached server says."""
        return self.root / "server.log"

    @property
    def identity(self) -> Path:
        """The workspace's names and GUID (JSON), fixed when the folder is made."""
        return self.root / "identity.json"

    @property
    def secrets(self) -> Path:
        """Keys and the identity secret (JSON, 0600)."""
        return self.root / "secrets.json"

    @property
    def certificate(self) -> Path:
        """The server's certificate and key in one file (0600)."""
        return self.root / "server.pem"

    @property
    def azure_cli(self) -> Path:
        """What the `az` of a shell led here notes for itself."""
        return self.root / "azure-cli"

    @property
    def bundle(self) -> Path:
        """Public roots and the local authority in one file, for REQUESTS_CA_BUNDLE and SSL_CERT_FILE."""
        return self.root / "ca-bundle.pem"
