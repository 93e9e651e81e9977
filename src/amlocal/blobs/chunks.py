"""Bytes on disk, each run of them in a file named after its SHA-256: written, read, copied, swept."""

import base64
import errno
import hashlib
import os
import secrets
import shutil
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self
from weakref import WeakSet

from amlocal.blobs.values import Chunk, DamagedStore, naming_full_disk

_UNSUPPORTED = frozenset({errno.ENOSYS, errno.EXDEV, errno.EOPNOTSUPP, errno.EINVAL})
_COPIED_AT_ONCE = 2**30  # bytes asked of the kernel in one call
# Bytes that a reader gets at once. What is hashed and written stays in the processor's cache: copying and hashing a
# gigabyte takes 1.3 s in such pieces, 2.5 to 4 s in pieces of a megabyte.
PIECE = 2**18


def join_files(sources: Sequence[Path], target: Path) -> None:
    """Write the joined `sources` to `target`. What is there is replaced; a link is not followed."""
    try:
        _join_in_kernel(sources, target)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        _join(sources, target)


def _join_in_kernel(sources: Sequence[Path], target: Path) -> None:
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, "copy_file_range is Linux's")
    target.unlink(missing_ok=True)
    with target.open("xb", buffering=0) as out:
        for source in sources:
            with source.open("rb", buffering=0) as file:
                while os.copy_file_range(file.fileno(), out.fileno(), _COPIED_AT_ONCE):
                    pass


def _join(sources: Sequence[Path], target: Path) -> None:
    target.unlink(missing_ok=True)
    with target.open("xb") as out:
        for source in sources:
            with source.open("rb") as file:
                shutil.copyfileobj(file, out, 2**20)


class ChunkWriter:
    """Writes and hashes in one pass. Leaving its block removes what was written, unless `move` gave it a name.

    Any thread may write, one at a time. The file comes with the first write, so that making a writer costs no I/O.
    """

    def __init__(self, path: Path, *, md5: bool = False) -> None:
        self.path = path
        self.size = 0
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False) if md5 else None
        self._file: FileIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file:
            self._file.close()
            self.path.unlink(missing_ok=True)

    def write(self, pieces: Iterable[bytes]) -> None:
        """Append the pieces. Raises `StorageFull`."""
        with naming_full_disk(self.path.parent):
            file = self._opened()
            for piece in pieces:
                self._sha256.update(piece)
                if self._md5:
                    self._md5.update(piece)
                self.size += len(piece)
                rest = memoryview(piece)
                while rest:
                    rest = rest[file.write(rest) :]

    def move(self, target: Path) -> None:
        """Give the file its final name. Raises `StorageFull`."""
        with naming_full_disk(self.path.parent):
            self._opened()  # a chunk may be empty
            target.parent.mkdir(exist_ok=True)
            self.path.replace(target)

    def _opened(self) -> FileIO:
        if self._file is None:
            self._file = FileIO(self.path, "xb")
        return self._file

    @property
    def sha256(self) -> str:
        """The digest of what was written, in hex."""
        return self._sha256.hexdigest()

    @property
    def md5(self) -> str | None:
        """The MD5 of what was written in base64; None if it is not counted."""
        return base64.b64encode(self._md5.digest()).decode() if self._md5 else None


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
