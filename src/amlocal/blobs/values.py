"""What blob storage hands around: blobs, their chunks, properties and conditions, and the errors of its answers."""

import errno
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from amlocal.core.errors import AmlocalError, ApiError

OCTETS = "application/octet-stream"
_CONTAINER = re.compile(r"(?=.{3,63}\Z)[a-z0-9]+(-[a-z0-9]+)*")
_METADATA_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_METADATA_VALUE = re.compile(r"[ -~\xa0-\xff]*")  # what a header can carry
_SEPARATOR = re.compile(r"[/\\]")


class StorageError(ApiError):
    """An answer of the storage service that is not a success; it goes out as XML, with `headers` of its own."""

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, message, code=code)
        self.headers = dict(headers or {})


class BlobNotFound(StorageError):
    """404: the container is there, the blob is not."""

    def __init__(self, container: str, name: str) -> None:
        super().__init__(404, "BlobNotFound", f"There is no blob {name!r} in the container {container!r}.")


class ContainerNotFound(StorageError):
    """404: the container is not there, hence no blob either."""

    def __init__(self, container: str) -> None:
        super().__init__(404, "ContainerNotFound", f"There is no container {container!r}.")


class AuthenticationFailed(StorageError):
    """403: a signature that is wrong, out of its time, or that cannot be checked."""

    def __init__(self, reason: str) -> None:
        super().__init__(403, "AuthenticationFailed", f"Server failed to authenticate the request: {reason}")


class StorageFull(StorageError):
    """413: the disk (or the quota on it) has no room.

    507 would say it best, but clients of Azure Storage send a request that met a 5xx again for minutes; of the codes
    that they take as final, 413 (RFC 9110: content that the server is unable to process for its size) is the nearest.
    """

    def __init__(self, place: Path) -> None:
        message = f"No space left on the disk of {place}: nothing of this write was kept. Free some, send it again."
        super().__init__(413, "InsufficientStorage", message)


class UnsafePath(AmlocalError):
    """A blob whose name cannot become a path below the folder that it was asked into."""


class DamagedStore(AmlocalError):
    """A chunk file that a blob needs is missing or shorter than recorded: someone else changed the folder."""


def permission_missing(needed: str, granted: Iterable[str]) -> StorageError:
    """Return the 403 for a credential that lets in, but not for this; `needed` lists what each would do."""
    has = "".join(sorted(granted)) or "none"
    message = f"This request needs the permission {' or '.join(needed)}; the credential grants {has} here."
    return StorageError(403, "AuthorizationPermissionMismatch", message)


@contextmanager
def naming_full_disk(place: Path) -> Iterator[None]:
    """Turn a full disk at `place`, met by a file or by SQLite, into `StorageFull`."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StorageFull(place) from error
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
            raise
        raise StorageFull(place) from error


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of bytes under its SHA-256; `block` is the id it was staged under, for blobs made of blocks."""

    digest: str
    size: int
    block: str = ""


@dataclass(frozen=True, slots=True)
class BlobProperties:
    """What a writer says about a blob besides its bytes. `content_md5` is base64, as the wire has it."""

    content_type: str = OCTETS
    content_md5: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob as it was when it was looked up: its bytes are those of `chunks`, in order."""

    container: str
    name: str
    size: int
    etag: str  # without quotes
    created: datetime
    modified: datetime
    content_type: str
    content_md5: str | None
    metadata: Mapping[str, str]
    chunks: Sequence[Chunk]

    @property
    def marks_folder(self) -> bool:
        """Whether it stands for a directory: `name/`, or the metadata that hierarchical clients write."""
        return self.name.endswith("/") or self.metadata.get("hdi_isfolder", "").lower() == "true"


Precondition = Callable[
    [Blob | None], None
]  # sees what a write would replace, within its transaction; raises to refuse


def no_precondition(_: Blob | None) -> None:
    """Let every write pass."""


def check_container(name: str) -> None:
    """Raise `StorageError` unless a container may have this name."""
    if not _CONTAINER.fullmatch(name):
        rule = "3 to 63 lower-case letters and digits, with single hyphens between them"
        raise StorageError(400, "InvalidResourceName", f"A container cannot be named {name!r}: it takes {rule}.")


def check_blob(name: str) -> None:
    """Raise `StorageError` unless a blob may have this name.

    `.` and `..` segments are refused: clients and proxies resolve them, so such a blob could not be asked for again.
    """
    if not 1 <= len(name) <= 1024:
        raise StorageError(400, "InvalidResourceName", f"A blob's name has 1 to 1024 characters, this one {len(name)}.")
    if {".", ".."}.intersection(_SEPARATOR.split(name)):
        raise StorageError(400, "InvalidUri", f"A blob cannot be named {name!r}: '.' and '..' segments are refused.")
    if any("\ud800" <= character <= "\udfff" for character in name):
        raise StorageError(400, "InvalidUri", f"A blob cannot be named {name!r}: the name is not Unicode text.")


def check_metadata(metadata: Mapping[str, str]) -> None:
    """Raise `StorageError` unless every pair can travel as an `x-ms-meta-` header and in a listing."""
    for name, value in metadata.items():
        if not _METADATA_NAME.fullmatch(name):
            raise StorageError(400, "InvalidMetadata", f"Metadata {name!r} is not an identifier (letters, digits, _).")
        if not _METADATA_VALUE.fullmatch(value):
            raise StorageError(400, "InvalidMetadata", f"The value of metadata {name!r} does not fit a header.")


def below(prefix: str) -> str:
    """Return what the names in the folder `prefix` start with: 'model' must not take in 'model2'."""
    return f"{prefix.rstrip('/')}/" if prefix.rstrip("/") else ""


def path_below(folder: Path, relative: str) -> Path:
    """Return where the blob `relative` goes below `folder`. Raises `UnsafePath` if that would be anywhere else."""
    if "\0" in relative or {"", ".", ".."}.intersection(_SEPARATOR.split(relative)):
        raise UnsafePath(f"The blob name {relative!r} cannot become a path below {folder}.")
    target = folder / relative
    if not target.parent.resolve().is_relative_to(folder.resolve()):
        raise UnsafePath(f"The blob {relative!r} would leave {folder}: a link on the way points elsewhere.")
    return target
