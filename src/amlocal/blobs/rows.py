"""Blobs as rows of the workspace's database."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import overload

from amlocal.blobs.values import Blob, Chunk
from amlocal.core.wire import azure_date, from_azure_date

SAVE = (
    "INSERT OR REPLACE INTO blobs (container, name, size, etag, created, modified, content_type, content_md5, metadata,"
    " chunks) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class _Chunks(Sequence[Chunk]):
    """The chunks that a row names, made when they are looked at: a blob may have 50,000, and most calls need none."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._made: tuple[Chunk, ...] | None = None

    def _all(self) -> tuple[Chunk, ...]:
        if self._made is None:
            self._made = tuple([Chunk(*item) for item in json.loads(self.text)])
        return self._made

    @overload
    def __getitem__(self, place: int) -> Chunk: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Chunk, ...]: ...
    def __getitem__(self, place: int | slice) -> Chunk | tuple[Chunk, ...]:
        return self._all()[place]

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[Chunk]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._all() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._all())


def _chunks_text(chunks: Sequence[Chunk]) -> str:
    if isinstance(chunks, _Chunks):
        return chunks.text
    return json.dumps([[chunk.digest, chunk.size, chunk.block] for chunk in chunks])


def to_row(blob: Blob) -> tuple[object, ...]:
    """Return the values of `SAVE`."""
    return (
        blob.container,
        blob.name,
        blob.size,
        blob.etag,
        azure_date(blob.created),
        azure_date(blob.modified),
        blob.content_type,
        blob.content_md5,
        json.dumps(dict(blob.metadata)),
        _chunks_text(blob.chunks),
    )


def from_row(row: sqlite3.Row) -> Blob:
    """Return the blob that `to_row` wrote."""
    return Blob(
        container=row["container"],
        name=row["name"],
        size=row["size"],
        etag=row["etag"],
        created=from_azure_date(row["created"]),
        modified=from_azure_date(row["modified"]),
        content_type=row["content_type"],
        content_md5=row["content_md5"],
        metadata=json.loads(row["metadata"]),
        chunks=_Chunks(row["chunks"]),
    )
