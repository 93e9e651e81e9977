"""Runs' artifacts as blobs: kept, read and listed by the workspace itself, with no copy on MLflow's side."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

from amlocal.blobs import Blob, BlobStore
from amlocal.blobs.listing import names_below
from amlocal.blobs.values import BlobProperties
from amlocal.core.errors import NotFound
from amlocal.tracking.artifact_paths import ArtifactPath
from amlocal.tracking.errors import InvalidArtifactPath
from amlocal.tracking.layout import CONTAINER


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, or a folder when it has no size; `name` is relative to the folder that was listed."""

    name: str
    size: int | None

    def wire(self, folder: str) -> dict[str, Any]:
        """Return MLflow's FileInfo; `folder` is what its path is to start with."""
        info: dict[str, Any] = {"path": f"{folder}/{self.name}" if folder else self.name, "is_dir": self.size is None}
        return info if self.size is None else info | {"file_size": self.size}


def entries(prefix: str, below: Iterable[Blob | str]) -> list[Entry]:
    """Return what is directly in the folder with that prefix (which ends in a slash), of what is below it.

    A folder below it is a name that ends in a slash, or the blobs in it.
    """
    found: dict[str, int | None] = {}
    for one in below:
        path, size = (one, None) if isinstance(one, str) else (one.name, one.size)
        name, slash, _ = path[len(prefix) :].partition("/")
        if name:
            found[name] = None if slash else found.get(name, size)
    return [Entry(name, size) for name, size in sorted(found.items())]


class Artifacts:
    """The artifacts of all runs."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    async def write(self, path: ArtifactPath, content: AsyncIterator[bytes], content_type: str) -> None:
        """Keep a file as it streams in; one of that name is replaced when all of it is there."""
        if not path.path:
            raise InvalidArtifactPath(path.path, "a file needs a name")
        with self._blobs.writer() as writer:
            async for piece in content:
                await asyncio.to_thread(writer.write, [piece])
            self._blobs.put(CONTAINER, path.blob, writer, BlobProperties(content_type))

    def find(self, path: ArtifactPath) -> Blob:
        """Return the file's blob. Raises `NotFound`."""
        if blob := self._blobs.get(CONTAINER, path.blob):
            return blob
        raise NotFound(f"The run {path.run_id} has no artifact {path.path!r}.")

    async def read(self, blob: Blob) -> AsyncIterator[bytes]:
        """Yield the file's bytes."""
        pieces = self._blobs.read(blob)
        while piece := await asyncio.to_thread(next, pieces, b""):
            yield piece

    def list(self, path: ArtifactPath) -> list[Entry]:
        """Return what is directly in the folder; nothing for a file, or for a folder that is not there."""
        prefix = f"{path.blob}/"
        return entries(prefix, names_below(self._blobs, CONTAINER, prefix))

    def delete(self, path: ArtifactPath) -> None:
        """Remove the file, or the folder with all that is in it."""
        self._blobs.delete(CONTAINER, path.blob)
        self._blobs.delete_tree(CONTAINER, path.blob)
