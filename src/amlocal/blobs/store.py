"""Containers and blobs over a folder and a database: bytes as chunks, everything else as rows. No HTTP."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from sqlite3 import Row

from amlocal.blobs.blocks import BlockListEntry
from amlocal.blobs.catalog import BlobCatalog, after_name, from_row
from amlocal.blobs.chunks import PIECE, ChunkFolder, ChunkWriter
from amlocal.blobs.values import (
    OCTETS,
    Blob,
    BlobNotFound,
    BlobProperties,
    Precondition,
    UnsafePath,
    below,
    check_blob,
    check_container,
    check_metadata,
    no_precondition,
    path_below,
)
from amlocal.core.context import Clock, Ids
from amlocal.core.database import Database

_BLOCKS_KEPT = timedelta(days=7)  # how long Azure keeps blocks that nobody commits


class BlobStore:
    """Azure's block blobs. Methods may be called from any thread; a write that returns survives a kill.

    Writes raise `StorageFull` on a full disk, `ContainerNotFound`, and `StorageError` for names Azure does not take;
    what they would have replaced is then as it was.
    """

    def __init__(self, folder: Path, database: Database, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._chunks = ChunkFolder(folder)
        self._catalog = BlobCatalog(database, clock, ids, place=folder)

    def create_container(self, name: str) -> None:
        """Make the container unless it is there."""
        self.add_container(name)

    def add_container(self, name: str) -> bool:
        """Make the container; False when it was there."""
        check_container(name)
        return self._catalog.create_container(name)

    def has_container(self, name: str) -> bool:
        """Return whether the container is there."""
        return self.container_created(name) is not None

    def container_created(self, name: str) -> datetime | None:
        """Return when the container was made, None when there is none."""
        return self._catalog.container_created(name)

    def require_container(self, name: str) -> None:
        """Raise `ContainerNotFound` unless the container is there."""
        self._catalog.require(name)

    def get(self, container: str, name: str) -> Blob | None:
        """Return the blob, or None."""
        return self._catalog.get(container, name)

    def require(self, container: str, name: str) -> Blob:
        """Return the blob. Raises `BlobNotFound`, `ContainerNotFound`."""
        if found := self.get(container, name):
            return found
        self.require_container(container)
        raise BlobNotFound(container, name)

    def put_bytes(
        self,
        container: str,
        name: str,
        content: bytes,
        *,
        content_type: str = OCTETS,
        metadata: Mapping[str, str] | None = None,
    ) -> Blob:
        """Write a blob, replacing the one of that name."""
        properties = BlobProperties(content_type, metadata=metadata or {})
        with self.writer() as writer:
            writer.write([content])
            return self.put(container, name, writer, properties)

    def put_file(
        self,
        container: str,
        name: str,
        path: Path,
        *,
        content_type: str = OCTETS,
        metadata: Mapping[str, str] | None = None,
    ) -> Blob:
        """Write a blob from the bytes of a file."""
        properties = BlobProperties(content_type, metadata=metadata or {})
        with path.open("rb", buffering=0) as file, self.writer() as writer:
            writer.write(iter(lambda: file.read(PIECE), b""))
            return self.put(container, name, writer, properties)

    def put_tree(self, container: str, prefix: str, folder: Path) -> list[Blob]:
        """Write every file below `folder` as a blob below `prefix`."""
        root = below(prefix)
        return [
            self.put_file(container, f"{root}{path.relative_to(folder).as_posix()}", path)
            for path in files_below(folder)
        ]

    def writer(self, *, md5: bool = False) -> ChunkWriter:
        """Return a writer for `put` and `put_block`, to be used as a context manager."""
        return self._chunks.writer(md5=md5)

    def put(
        self,
        container: str,
        name: str,
        writer: ChunkWriter,
        properties: BlobProperties,
        precondition: Precondition = no_precondition,
    ) -> Blob:
        """Make what was written the content of a blob."""
        check_blob(name)
        check_metadata(properties.metadata)
        with self._chunks.keep(writer) as chunk:
            return self._catalog.save(container, name, [chunk], properties, precondition)

    def put_block(self, container: str, name: str, block: str, writer: ChunkWriter) -> None:
        """Keep what was written as an uncommitted block."""
        check_blob(name)
        with self._chunks.keep(writer, block) as chunk:
            self._catalog.stage(container, name, chunk)

    def commit_blocks(
        self,
        container: str,
        name: str,
        entries: Sequence[BlockListEntry],
        properties: BlobProperties,
        precondition: Precondition = no_precondition,
    ) -> Blob:
        """Make a blob of staged or committed blocks; no byte is copied. Raises `StorageError` for an unknown block."""
        check_blob(name)
        check_metadata(properties.metadata)
        return self._catalog.commit_blocks(container, name, entries, properties, precondition)

    def read(self, blob: Blob, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes from `start` up to `end`, as the slice of the content would be (neither may be negative).

        They are those of `blob` even if it is deleted or replaced meanwhile. Raises `DamagedStore`.
        """
        with self._chunks.pinned(blob.chunks):
            yield from self._chunks.read(blob.chunks, start, blob.size if end is None else end)

    def fetch_file(self, container: str, name: str, target: Path) -> None:
        """Write the blob to the file `target`, a copy that its owner may change. Raises `BlobNotFound`."""
        self._fetch(self.require(container, name), target)

    def fetch_tree(self, container: str, prefix: str, folder: Path) -> int:
        """Write the blobs below `prefix` ('model' does not take in 'model2') as files below `folder`; count them.

        Raises `UnsafePath` before writing anything if a name would lead out of `folder`.
        """
        root = below(prefix)
        blobs = [blob for blob in self.list(container, root) if blob.name != root]
        targets = [(blob, path_below(folder, blob.name[len(root) :].removesuffix("/"))) for blob in blobs]
        make_room(folder, folder)
        for blob, target in targets:
            make_room(folder, target if blob.marks_folder else target.parent)
            if not blob.marks_folder:
                self._fetch(blob, target)
        return sum(not blob.marks_folder for blob in blobs)

    def _fetch(self, blob: Blob, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with self._chunks.pinned(blob.chunks):
            self._chunks.copy(blob.chunks, target)

    def set_metadata(
        self, container: str, name: str, metadata: Mapping[str, str], precondition: Precondition = no_precondition
    ) -> Blob:
        """Replace the blob's metadata. Raises `BlobNotFound`."""
        check_metadata(metadata)
        return self._catalog.set_metadata(container, name, metadata, precondition)

    def delete(self, container: str, name: str, precondition: Precondition = no_precondition) -> bool:
        """Remove the blob; False when it was not there. `collect_garbage` frees its bytes."""
        return self._catalog.delete(container, name, precondition)

    def delete_tree(self, container: str, prefix: str) -> int:
        """Remove the blobs below `prefix`; return how many."""
        return self._catalog.delete_prefix(container, below(prefix))

    def collect_garbage(self) -> int:
        """Remove the chunks that nothing names: of deleted blobs, of blocks abandoned for a week. Return how many."""
        self._catalog.forget_blocks(before=self._clock() - _BLOCKS_KEPT)
        return self._chunks.sweep(self._catalog.digests)

    def scan(self, container: str, prefix: str, *, start: bytes, limit: int | None) -> list[Row]:
        """Return the rows of blobs whose names begin with `prefix` and are not before the position `start`.

        `catalog.from_row` makes a blob of one: that costs more than to read it, and a listing by folders skips most.
        """
        return self._catalog.scan(container, prefix, start, limit)

    def list(self, container: str, prefix: str = "", *, after: str = "", limit: int | None = None) -> list[Blob]:
        """Return the blobs whose names begin with `prefix` and come after `after`, in the order of their UTF-8."""
        self._catalog.require(container)
        return [from_row(row) for row in self.scan(container, prefix, start=after_name(after), limit=limit)]


def files_below(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Yield every file below `folder` in name order. Links are followed, but not back into a folder they are in."""
    real = folder.resolve()
    if real in above:
        return
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            yield from files_below(entry, (*above, real))
        elif entry.is_file():
            yield entry


def make_room(folder: Path, path: Path) -> None:
    """Make `path` below `folder`. Raises `UnsafePath` where a file is in its way."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UnsafePath(f"{path} below {folder} would have to be a file and a folder at once.") from error
