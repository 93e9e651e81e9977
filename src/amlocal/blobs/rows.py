"""Blobs as rows of the workspace's database."""

import json
import sqlite3

from amlocal.blobs.values import Blob, Chunk
from amlocal.core.wire import azure_date, from_azure_date

SAVE = (
    "INSERT OR REPLACE INTO blobs (container, name, size, etag, created, modified, content_type, content_md5, metadata,"
    " chunks) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


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
        json.dumps([[chunk.digest, chunk.size, chunk.block] for chunk in blob.chunks]),
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
        chunks=tuple(Chunk(*item) for item in json.loads(row["chunks"])),
    )
