"""A chunk while it is being written."""

import base64
import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from amlocal.blobs.errors import naming_full_disk


class ChunkWriter:
    """Writes and hashes in one pass. Leaving its block removes what was written, unless `move` gave it a name.

    Any thread may write, one at a time. The file comes with the first write, so that making a writer costs no I/O.
    """

    def __init__(self, folder: Path, *, md5: bool = False) -> None:
        self._folder = folder
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False) if md5 else None
        self._descriptor: int | None = None
        self._path = folder
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._path.unlink(missing_ok=True)

    def write(self, pieces: Iterable[bytes]) -> None:
        """Append the pieces. Raises `StorageFull`."""
        with naming_full_disk(self._folder):
            descriptor = self._opened()
            for piece in pieces:
                self._sha256.update(piece)
                if self._md5:
                    self._md5.update(piece)
                self.size += len(piece)
                rest = memoryview(piece)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]

    def move(self, target: Path) -> None:
        """Give the file its final name. Raises `StorageFull`."""
        with naming_full_disk(self._folder):
            self._opened()  # a chunk may be empty
            target.parent.mkdir(exist_ok=True)
            self._path.replace(target)

    def _opened(self) -> int:
        if self._descriptor is None:
            self._descriptor, name = tempfile.mkstemp(dir=self._folder)
            self._path = Path(name)
        return self._descriptor

    @property
    def sha256(self) -> str:
        """The digest of what was written, in hex."""
        return self._sha256.hexdigest()

    @property
    def md5(self) -> str | None:
        """The MD5 of what was written in base64; None if it is not counted."""
        return base64.b64encode(self._md5.digest()).decode() if self._md5 else None
