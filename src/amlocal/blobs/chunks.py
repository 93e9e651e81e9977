"""Bytes on disk, each run of them in a file named after its SHA-256."""

import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakSet

from amlocal.blobs.chunk_writer import ChunkWriter
from amlocal.blobs.copying import join_files
from amlocal.blobs.errors import DamagedStore, naming_full_disk
from amlocal.blobs.values import Chunk

# Bytes that a reader gets at once. What is hashed and written stays in the processor's cache: copying and hashing a
# gigabyte takes 1.3 s in such pieces, 2.5 to 4 s in pieces of a megabyte.
PIECE = 2**18


class ChunkFolder:
    """Keeps chunks as `<folder>/<aa>/<sha256>`: the same content is one file, however often it is written.

    A chunk is written under `incoming/` and renamed when it is whole, so what an interrupted write leaves never
    counts. Methods may be called from any thread; of the processes that read the folder, one writes and sweeps.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._sweeping = threading.Lock()
        self._pins: Counter[str] = Counter()
        self._pinned_during_sweep: set[str] | None = None
        self._writers: WeakSet[ChunkWriter] = WeakSet()

    def writer(self, *, md5: bool = False) -> ChunkWriter:
        """Return a writer for a new chunk; with `md5` it counts that too."""
        writer = ChunkWriter(self._incoming / secrets.token_hex(16), md5=md5)
        with self._lock:
            self._writers.add(writer)
        return writer

    @contextmanager
    def keep(self, writer: ChunkWriter, block: str = "") -> Iterator[Chunk]:
        """Give what was written its final name. The with-block must store a row that names it: `sweep` waits."""
        chunk = Chunk(writer.sha256, writer.size, block)
        with self.pinned([chunk]):
            writer.move(self._path(chunk))
            yield chunk

    @contextmanager
    def pinned(self, chunks: Iterable[Chunk]) -> Iterator[None]:
        """Have `sweep` spare these chunks while the with-block runs."""
        digests = [chunk.digest for chunk in chunks]
        with self._lock:
            self._pins.update(digests)
            if self._pinned_during_sweep is not None:
                self._pinned_during_sweep.update(digests)
        try:
            yield
        finally:
            with self._lock:
                self._pins -= Counter(digests)

    def read(self, chunks: Iterable[Chunk], start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes `start` to `stop` (excluded) of the joined chunks. Raises `DamagedStore`."""
        for chunk in chunks:
            first, behind = max(start, 0), min(stop, chunk.size)
            if first < behind:
                yield from self._read(chunk, first, behind)
            start, stop = start - chunk.size, stop - chunk.size

    def _read(self, chunk: Chunk, position: int, stop: int) -> Iterator[bytes]:
        with self._checked(chunk).open("rb", buffering=0) as file:
            file.seek(position)
            while piece := file.read(min(PIECE, stop - position)):
                yield piece
                position += len(piece)

    def copy(self, chunks: Sequence[Chunk], target: Path) -> None:
        """Write the joined chunks to `target`: a copy of its own, since its owner may change it.

        Raises `DamagedStore`, `StorageFull`.
        """
        with naming_full_disk(target):
            join_files([self._checked(chunk) for chunk in chunks], target)

    def sweep(self, named: Callable[[], set[str]]) -> int:
        """Remove the chunks that are neither pinned nor among `named()`, return how many; and unfinished writes.

        `named` is asked only after pins began to be remembered: a chunk that some thread is storing right now is
        either named by then, or pinned at some moment that counts.
        """
        with self._sweeping:
            with self._lock:
                self._pinned_during_sweep = set(self._pins)
            try:
                kept = named()
                self._remove_unfinished()
                return sum(self._remove(path) for path in self._folder.glob("??/*") if path.name not in kept)
            finally:
                with self._lock:
                    self._pinned_during_sweep = None

    def _remove_unfinished(self) -> None:
        found = list(self._incoming.iterdir())  # before the writers: each was known before its file
        with self._lock:
            writing = {writer.path for writer in self._writers}
        for path in found:
            if path not in writing:
                path.unlink(missing_ok=True)

    def _remove(self, path: Path) -> bool:
        with self._lock:
            if path.name in (self._pinned_during_sweep or ()):
                return False
            path.unlink()
            return True

    def _path(self, chunk: Chunk) -> Path:
        return self._folder / chunk.digest[:2] / chunk.digest

    def _checked(self, chunk: Chunk) -> Path:
        path = self._path(chunk)
        found = path.stat().st_size if path.exists() else "no"
        if found != chunk.size:
            raise DamagedStore(f"{path} has {found} bytes instead of {chunk.size}: the blob folder was tampered with.")
        return path
