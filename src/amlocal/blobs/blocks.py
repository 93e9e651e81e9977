"""Block lists: read from XML, and which blocks they mean.

Source: learn.microsoft.com/rest/api/storageservices/put-block-list.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from xml.etree import ElementTree as ET

from amlocal.blobs.values import Chunk, StorageError

_MOST_BLOCKS = 50_000  # of a blob (learn.microsoft.com/rest/api/storageservices/put-block-list)
_PIECE = 2**14  # bytes
# A tag that no block list has: expat would look for its end again with every piece, and make names of its attributes.
_LONG_TAG = re.compile(rb"<[^<>]{256}")


class BlockSource(StrEnum):
    """Where a block is looked for; `Latest`: among the uncommitted ones, then in the blob as it is."""

    COMMITTED = "Committed"
    UNCOMMITTED = "Uncommitted"
    LATEST = "Latest"


@dataclass(frozen=True, slots=True)
class BlockListEntry:
    """An entry of a block list."""

    source: BlockSource
    block: str


def listed_chunks(
    entries: Sequence[BlockListEntry], *, staged: Iterable[Chunk], committed: Iterable[Chunk]
) -> list[Chunk]:
    """Return the chunks of the listed blocks. Raises `StorageError` when one of them is not there."""
    fresh = {chunk.block: chunk for chunk in staged}
    present = {chunk.block: chunk for chunk in committed if chunk.block}
    where = {BlockSource.COMMITTED: present, BlockSource.UNCOMMITTED: fresh, BlockSource.LATEST: present | fresh}
    try:
        return [where[entry.source][entry.block] for entry in entries]
    except KeyError as error:
        message = f"The block list names the block {error.args[0]!r}, which is not there; nothing was committed."
        raise StorageError(400, "InvalidBlockList", message) from error


_SOURCES = {source.value: source for source in BlockSource}  # `BlockSource(...)` takes ten times as long


class _PlainTree(ET.TreeBuilder):
    def doctype(self, *_: str | None) -> None:
        """Refuse what a block list has no use for: entities could make a small one huge."""
        raise ValueError("a document type is not taken")


def read_block_list(content: bytes) -> list[BlockListEntry]:
    """Return the entries of a block list, in order. Raises `StorageError` when it is not one, or has too many."""
    if content.count(b"<") > 2 * _MOST_BLOCKS + 4:
        raise StorageError(400, "BlockListTooLong", f"A block list names {_MOST_BLOCKS} blocks at most.")
    if _LONG_TAG.search(content):
        raise StorageError(400, "InvalidXmlDocument", "The block list is not valid: it holds a tag of over 256 bytes.")
    try:
        # Whatever it declares: other encodings are looked up among all codecs that Python has.
        parser = ET.XMLParser(target=_PlainTree(), encoding="utf-8")  # noqa: S314 - the tree refuses entities
        for start in range(0, len(content), _PIECE):  # between two pieces, other threads have their turn
            parser.feed(content[start : start + _PIECE])
        root = parser.close()
        return [BlockListEntry(_SOURCES[element.tag], (element.text or "").strip()) for element in root]
    except KeyError as error:
        message = f"The block list is not valid: it holds <{error.args[0][:80]}>."
        raise StorageError(400, "InvalidXmlDocument", message) from error
    except (ET.ParseError, ValueError) as error:
        raise StorageError(400, "InvalidXmlDocument", f"The block list is not valid: {error}.") from error
