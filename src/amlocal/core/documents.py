"""Resources as JSON documents: one table for all kinds, since the wire is their schema."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from amlocal.core.database import Database


@dataclass(frozen=True, slots=True)
class Document:
    """A resource as stored. `sequence` grows with every creation in the workspace: the newest has the highest."""

    kind: str
    name: str
    version: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    sequence: int = 0


def _document(row: sqlite3.Row) -> Document:
    return Document(row["kind"], row["name"], row["version"], json.loads(row["body"]), row["sequence"])


class Documents:
    """Reads and writes documents by kind, name and version."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._memory: tuple[int, dict[tuple[str, str, str], Document | None]] = (0, {})
        self.transaction = database.transaction

    def get(self, kind: str, name: str, version: str = "") -> Document | None:
        """Return the document, or None."""
        row = self._database.row("SELECT * FROM documents WHERE kind=? AND name=? AND version=?", kind, name, version)
        return None if row is None else _document(row)

    def recall(self, kind: str, name: str, version: str = "") -> Document | None:
        """Return what `get` returns, from memory while nothing is written. It is shared: read it only."""
        writes, known = self._memory
        if writes != self._database.writes:
            # Replaced, not cleared: what another thread has read in the meantime goes into the old one.
            self._memory = writes, known = self._database.writes, {}
        key = (kind, name, version)
        if key not in known:
            known[key] = self.get(*key)
        return known[key]

    def put(self, kind: str, name: str, body: Mapping[str, Any], version: str = "") -> Document:
        """Write the document; a new one gets the next sequence, one that exists keeps its own."""
        with self._database.transaction() as connection:
            known = self.get(kind, name, version)
            sequence = known.sequence if known else self._next()
            connection.execute(
                "INSERT OR REPLACE INTO documents (kind, name, version, sequence, body) VALUES (?, ?, ?, ?, ?)",
                (kind, name, version, sequence, json.dumps(body)),
            )
        return Document(kind, name, version, dict(body), sequence)

    def delete(self, kind: str, name: str, version: str = "") -> bool:
        """Remove the document; False when it was not there."""
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "DELETE FROM documents WHERE kind=? AND name=? AND version=?", (kind, name, version)
            )
        return cursor.rowcount > 0

    def list(self, kind: str, name: str | None = None) -> list[Document]:
        """Return the documents of a kind (of one name, if given), newest creation first, as Azure lists them."""
        where, values = ("kind=?", [kind]) if name is None else ("kind=? AND name=?", [kind, name])
        rows = self._database.rows(f"SELECT * FROM documents WHERE {where} ORDER BY sequence DESC", *values)  # noqa: S608 - fixed text
        return [_document(row) for row in rows]

    def _next(self) -> int:
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO counters VALUES ('sequence', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1"
            )
            return int(connection.execute("SELECT value FROM counters WHERE name='sequence'").fetchone()[0])
