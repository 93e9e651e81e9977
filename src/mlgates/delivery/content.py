"""How content is told from other content: checksums, kept as tags so that the same content is registered once."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Protocol

from azure.core.exceptions import ResourceNotFoundError

from mlgates.core.values import AssetVersion

_BLOCK_BYTES = 1 << 20


class Version(Protocol):
    """What the SDK's asset entities have in common."""

    name: str
    version: str
    tags: Mapping[str, str] | None


def checksum(path: Path) -> str:
    """Return the sha256 of a file, or of a folder's relative paths and contents."""
    if path.is_file():
        return _hash(_blocks(path))
    files = (file for file in path.rglob("*") if file.is_file())
    return folder_checksum({file.relative_to(path).as_posix(): checksum(file) for file in files})


def folder_checksum(files: Mapping[str, str]) -> str:
    """Return the sha256 of a folder, as `checksum` does, from its relative paths and the sha256 of each file."""
    return _hash(f"{path}\0{files[path]}\n".encode() for path in sorted(files, key=PurePosixPath))


def fingerprint(definition: Mapping[str, object]) -> str:
    """Return the sha256 of a definition, whatever the order of its keys."""
    return _hash([json.dumps(definition, sort_keys=True, default=str).encode()])


def held(versions: Callable[[], Iterable[Version]]) -> Iterator[AssetVersion]:
    """Yield what the SDK call `versions` lists, newest first as the service does; an unknown asset has no versions."""
    try:
        for each in versions():
            yield AssetVersion(each.name, str(each.version), created=False, tags=dict(each.tags or {}))
    except ResourceNotFoundError:
        return


def find(versions: Callable[[], Iterable[Version]], tag: str, value: str) -> AssetVersion | None:
    """Return the newest of `versions` whose `tag` is `value`."""
    return next((version for version in held(versions) if version.tags.get(tag) == value), None)


def _hash(blocks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            yield block
