"""Which blocks a block list means (learn.microsoft.com/rest/api/storageservices/put-block-list)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from amlocal.blobs.errors import StorageError
from amlocal.blobs.values import Chunk


class Source(StrEnum):
    """Where a block is looked for; `Latest`: among the uncommitted ones, then in the blob as it is."""

    COMMITTED = "Committed"
    UNCOMMITTED = "Uncommitted"
    LATEST = "Latest"


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry of a block list."""

    source: Source
    block: str


def chosen(choices: Sequence[Choice], *, staged: Iterable[Chunk], committed: Iterable[Chunk]) -> list[Chunk]:
    """Return the chunks of the listed blocks. Raises `StorageError` when one of them is not there."""
    fresh = {chunk.block: chunk for chunk in staged}
    present = {chunk.block: chunk for chunk in committed if chunk.block}
    where = {Source.COMMITTED: present, Source.UNCOMMITTED: fresh, Source.LATEST: present | fresh}
    try:
        return [where[choice.source][choice.block] for choice in choices]
    except KeyError as error:
        message = f"The block list names the block {error.args[0]!r}, which is not there; nothing was committed."
        raise StorageError(400, "InvalidBlockList", message) from error
