"""A chunk while it is being written."""

import base64
import hashlib
from collections.abc import Iterable
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from amlocal.blobs.errors import naming_full_disk


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
