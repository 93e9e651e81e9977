"""Which blobs there are and which chunks they are made of: the rows of the store, and the rules of block blobs."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from sqlite3 import Connection, Row
from typing import overload

from amlocal.blobs.blocks import BlockListEntry, listed_chunks
from amlocal.blobs.values import (
    Blob,
    BlobNotFound,
    BlobProperties,
    Chunk,
    ContainerNotFound,
    Precondition,
    StorageError,
    naming_full_disk,
)
from amlocal.core.context import Clock, Ids, azure_date, from_azure_date
from amlocal.core.database import Database

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


def after_name(name: str) -> bytes:
    """Return the first position behind `name`, in the order of UTF-8 (SQLite's own for text); b"" for no name."""
    return name.encode() + b"\0" if name else b""


def after_prefix(prefix: str) -> bytes:
    """Return the first position behind every name that begins with `prefix`: 0xFF is in no UTF-8 text."""
    return prefix.encode() + b"\xff"


class BlobCatalog:
    """The tables `containers`, `blobs` and `blocks`. Every change is one transaction."""

    def __init__(self, database: Database, clock: Clock, ids: Ids, *, place: Path) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._place = place

    @contextmanager
    def _change(self, container: str) -> Iterator[Connection]:
        with naming_full_disk(self._place), self._database.transaction() as connection:
            self.require(container)
            yield connection

    def create_container(self, name: str) -> bool:
        """Make the container; False when it was there."""
        with naming_full_disk(self._place), self._database.transaction() as connection:
            row = (name, azure_date(self._clock()))
            return connection.execute("INSERT OR IGNORE INTO containers VALUES (?, ?)", row).rowcount > 0

    def container_created(self, name: str) -> datetime | None:
        """Return when the container was made, None when there is none."""
        row = self._database.row("SELECT created FROM containers WHERE name=?", name)
        return from_azure_date(row["created"]) if row else None

    def require(self, container: str) -> None:
        """Raise `ContainerNotFound` unless the container is there."""
        if self.container_created(container) is None:
            raise ContainerNotFound(container)

    def get(self, container: str, name: str) -> Blob | None:
        """Return the blob, or None."""
        row = self._database.row("SELECT * FROM blobs WHERE container=? AND name=?", container, name)
        return from_row(row) if row else None

    def scan(self, container: str, prefix: str, start: bytes, limit: int | None) -> list[Row]:
        """Return the rows whose names begin with `prefix` and are not before `start` (UTF-8), in name order."""
        first, behind = prefix.encode(), after_prefix(prefix)
        return self._database.rows(
            "SELECT * FROM blobs WHERE container=? AND name >= CAST(? AS TEXT) AND name < CAST(? AS TEXT)"
            " ORDER BY name LIMIT ?",
            *(container, max(first, start), behind, -1 if limit is None else limit),
        )

    def save(
        self, container: str, name: str, chunks: Sequence[Chunk], properties: BlobProperties, precondition: Precondition
    ) -> Blob:
        """Make `chunks` the blob's content. Blocks staged for it are forgotten, as Azure does."""
        return self._replace(container, name, lambda _: chunks, properties, precondition)

    def commit_blocks(
        self,
        container: str,
        name: str,
        entries: Sequence[BlockListEntry],
        properties: BlobProperties,
        precondition: Precondition,
    ) -> Blob:
        """Make the blob of the chosen blocks. Raises `StorageError` InvalidBlockList."""

        def chunks(known: Blob | None) -> Sequence[Chunk]:
            return listed_chunks(entries, staged=self._staged(container, name), committed=known.chunks if known else ())

        return self._replace(container, name, chunks, properties, precondition)

    def _replace(
        self,
        container: str,
        name: str,
        chunks: Callable[[Blob | None], Sequence[Chunk]],
        properties: BlobProperties,
        precondition: Precondition,
    ) -> Blob:
        with self._change(container) as connection:
            known = self.get(container, name)
            precondition(known)
            now, content = self._clock(), tuple(chunks(known))
            blob = Blob(
                container=container,
                name=name,
                size=sum(chunk.size for chunk in content),
                etag=self._etag(),
                created=known.created if known else now,
                modified=now,
                content_type=properties.content_type,
                content_md5=properties.content_md5,
                metadata=dict(properties.metadata),
                chunks=content,
            )
            connection.execute(SAVE, to_row(blob))
            connection.execute("DELETE FROM blocks WHERE container=? AND name=?", (container, name))
        return blob

    def _etag(self) -> str:
        return f"0x{self._ids().replace('-', '').upper()}"

    def _staged(self, container: str, name: str) -> list[Chunk]:
        rows = self._database.rows(
            "SELECT digest, size, block FROM blocks WHERE container=? AND name=?", container, name
        )
        return [Chunk(*row) for row in rows]

    def stage(self, container: str, name: str, chunk: Chunk) -> None:
        """Remember an uncommitted block. Raises `StorageError` for an id of another length than the blob's others."""
        with self._change(container) as connection:
            # Each was held to one before it, so one of them tells the length of all.
            other = self._database.row("SELECT block FROM blocks WHERE container=? AND name=? LIMIT 1", container, name)
            if other is not None and len(other["block"]) != len(chunk.block):
                message = f"All block ids of a blob have one length; {chunk.block!r} differs from those before it."
                raise StorageError(400, "InvalidBlobOrBlock", message)
            connection.execute(
                "INSERT OR REPLACE INTO blocks (container, name, block, digest, size, staged)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (container, name, chunk.block, chunk.digest, chunk.size, azure_date(self._clock())),
            )

    def set_metadata(self, container: str, name: str, metadata: Mapping[str, str], precondition: Precondition) -> Blob:
        """Replace the blob's metadata. Raises `BlobNotFound`."""
        with self._change(container) as connection:
            known = self.get(container, name)
            precondition(known)
            if known is None:
                raise BlobNotFound(container, name)
            blob = replace(known, metadata=dict(metadata), etag=self._etag(), modified=self._clock())
            connection.execute(SAVE, to_row(blob))
        return blob

    def delete(self, container: str, name: str, precondition: Precondition) -> bool:
        """Remove the blob; False when it was not there."""
        with self._change(container) as connection:
            known = self.get(container, name)
            precondition(known)
            connection.execute("DELETE FROM blobs WHERE container=? AND name=?", (container, name))
        return known is not None

    def delete_prefix(self, container: str, prefix: str) -> int:
        """Remove the blobs whose names begin with `prefix`; return how many."""
        with self._change(container) as connection:
            return connection.execute(
                "DELETE FROM blobs WHERE container=? AND name >= ? AND name < CAST(? AS TEXT)",
                (container, prefix, after_prefix(prefix)),
            ).rowcount

    def forget_blocks(self, *, before: datetime) -> None:
        """Forget the uncommitted blocks staged before a moment."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM blocks WHERE staged < ?", (azure_date(before),))

    def digests(self) -> set[str]:
        """Return the digests of all chunks that a blob or an uncommitted block names."""
        rows = self._database.rows_apart(
            "SELECT json_extract(chunk.value, '$[0]') AS digest FROM blobs, json_each(blobs.chunks) AS chunk"
            " UNION SELECT digest FROM blocks"
        )
        return {row["digest"] for row in rows}
