"""Byte ranges as Azure Storage reads them: `bytes=first-last` or `bytes=first-`, one at a time."""

import re
from dataclasses import dataclass

from amlocal.blobs.errors import StorageError

_RANGE = re.compile(r"bytes=(\d{1,19})-(\d{0,19})")


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes from `start` up to `stop`, which is not among them, of `size`."""

    start: int
    stop: int
    size: int

    @property
    def content_range(self) -> str:
        """The header that says which bytes of how many these are."""
        return f"bytes {self.start}-{self.stop - 1}/{self.size}"


def parse_range(header: str, size: int) -> Span | None:
    """Return the part of a blob of `size` bytes that is asked for, None when the header says no such thing.

    Raises `StorageError` 416 for a range that begins behind the end; an empty blob has no range at all.
    """
    found = _RANGE.fullmatch(header.strip())
    if not found:
        return None
    start, last = int(found[1]), int(found[2]) if found[2] else size - 1
    if found[2] and last < start:
        return None
    if start >= size:
        message = f"The range {header} begins behind the end of the blob, which has {size} bytes."
        raise StorageError(416, "InvalidRange", message, headers={"Content-Range": f"bytes */{size}"})
    return Span(start, min(last + 1, size), size)
