"""Which names Azure takes, and which of them may become paths.

Rules: learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from amlocal.blobs.errors import StorageError, UnsafePath

_CONTAINER = re.compile(r"(?=.{3,63}\Z)[a-z0-9]+(-[a-z0-9]+)*")
_METADATA_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_METADATA_VALUE = re.compile(r"[ -~\xa0-\xff]*")  # what a header can carry
_SEPARATOR = re.compile(r"[/\\]")


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
