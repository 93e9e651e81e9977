"""Containers, blobs and chunks as values, and which names Azure takes for them.

Rules: learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from amlocal.blobs.errors import StorageError, UnsafePath

OCTETS = "application/octet-stream"
_CONTAINER = re.compile(r"(?=.{3,63}\Z)[a-z0-9]+(-[a-z0-9]+)*")
_METADATA_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_METADATA_VALUE = re.compile(r"[ -~\xa0-\xff]*")  # what a header can carry
_SEPARATOR = re.compile(r"[/\\]")


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
