"""Resources as JSON documents: one table for all kinds, since the wire is their schema, and the index of their lists.

The index is inverted: it knows which documents answer to a term, so that a page of a list is read without the list.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from amlocal.core.database import Database

Term = tuple[str, ...]  # what a list is asked for, in words of the list's own: ("ActiveOnly", "tag", "colour", "red")

_DIGEST = 16  # bytes; a term may hold a tag of any length, and is as long as this in the index


class Postings:
    """The table `postings`: for each kind and term the sequences of the documents that have it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, kind: str, sequence: int, terms: Iterable[Term]) -> None:
        """Make `terms` those of a document."""
        wanted = {_key(term) for term in terms}
        with self._database.transaction() as connection:
            rows = self._database.rows("SELECT term FROM postings WHERE sequence=?", sequence)
            known = {str(row["term"]) for row in rows}
            connection.executemany(
                "DELETE FROM postings WHERE kind=? AND term=? AND sequence=?",
                [(kind, term, sequence) for term in known - wanted],
            )
            connection.executemany(
                "INSERT INTO postings (kind, term, sequence) VALUES (?, ?, ?)",
                [(kind, term, sequence) for term in wanted - known],
            )

    def remove(self, sequence: int) -> None:
        """Forget a document."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM postings WHERE sequence=?", (sequence,))

    def has(self, kind: str, term: Term) -> bool:
        """Return whether any document has the term."""
        row = self._database.row("SELECT 1 FROM postings WHERE kind=? AND term=? LIMIT 1", kind, _key(term))
        return row is not None

    def edition(self, kind: str) -> int:
        """Return by which edition of its rules a kind is indexed, 0 when it is not."""
        row = self._database.row("SELECT edition FROM indexed WHERE kind=?", kind)
        return int(row["edition"]) if row else 0

    def begin(self, kind: str, edition: int) -> None:
        """Forget all documents of a kind, which are then written by another edition of its rules."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM postings WHERE kind=?", (kind,))
            connection.execute("INSERT OR REPLACE INTO indexed VALUES (?, ?)", (kind, edition))


def views_of(archived: bool) -> tuple[str, str]:
    """Return the listing views in which an item shows."""
    return "All", "ArchivedOnly" if archived else "ActiveOnly"


def tag_terms(tags: Mapping[str, str]) -> Iterator[Term]:
    """Yield the terms by which `tag_filter` finds tags."""
    for key, value in tags.items():
        yield ("tag", key)
        yield ("tag", key, value)


def tag_filter(tag: str) -> list[Term]:
    """Return the term of a filter `key` or `key=value`, none for an empty one."""
    key, equals, value = tag.partition("=")
    if equals:
        return [("tag", key, value)]
    return [("tag", key)] if key else []


def keys(terms: Sequence[Term]) -> str:
    """Return terms for a statement that reads them by `json_each`."""
    return json.dumps([_key(term) for term in terms])


def having(terms: Sequence[Term]) -> tuple[str, list[str]]:
    """Return the condition of the postings `p` of documents that have all of `terms` (one or more), and its values.

    The kind is the first value, before these.
    """
    others = "".join(
        " AND EXISTS (SELECT 1 FROM postings AS o WHERE o.kind=p.kind AND o.term=? AND o.sequence=p.sequence)"
        for _ in terms[1:]
    )
    return f"p.kind=? AND p.term=?{others}", [_key(term) for term in terms]


def _key(term: Term) -> str:
    return blake2b(json.dumps(term).encode(), digest_size=_DIGEST).hexdigest()


@dataclass(frozen=True, slots=True)
class Document:
    """A resource as stored. `sequence` grows with every creation in the workspace: the newest has the highest."""

    kind: str
    name: str
    version: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    sequence: int = 0


TermsOf = Callable[[Document], Iterable[Term]]


def _document(row: sqlite3.Row) -> Document:
    return Document(row["kind"], row["name"], row["version"], json.loads(row["body"]), row["sequence"])


class Documents:
    """Reads and writes documents by kind, name and version."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._postings = Postings(database)
        self._terms: dict[str, TermsOf] = {}
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
            document = Document(kind, name, version, dict(body), sequence)
            self._write_terms(document)
        return document

    def delete(self, kind: str, name: str, version: str = "") -> bool:
        """Remove the document; False when it was not there."""
        key = (kind, name, version)
        with self._database.transaction() as connection:
            known = self._database.row("SELECT sequence FROM documents WHERE kind=? AND name=? AND version=?", *key)
            if known is None:
                return False
            connection.execute("DELETE FROM documents WHERE kind=? AND name=? AND version=?", key)
            self._postings.remove(known["sequence"])
        return True

    def index(self, kind: str, terms: TermsOf, *, edition: int = 1) -> None:
        """Index the documents of a kind under what `terms` returns for each, from now on.

        Those that are there are indexed at once if that was not done by this `edition` of the rules.
        """
        self._terms[kind] = terms
        if self._postings.edition(kind) == edition:
            return
        with self._database.transaction():
            self._postings.begin(kind, edition)
            for document in self.select(kind).all():
                self._write_terms(document)

    def index_again(self, kind: str, name: str, version: str = "") -> None:
        """Write the terms of a document anew: what they come from is in other documents, and has changed."""
        with self._database.transaction():
            if (found := self.get(kind, name, version)) is not None:
                self._write_terms(found)

    def select(self, kind: str, *terms: Term) -> "Listing":
        """Return the list of the documents of a kind, or of those that have all of `terms` (see `index`)."""
        return Listing(self._database, kind, terms=terms)

    def select_named(self, kind: str, name: str) -> "Listing":
        """Return the list of the documents of one name."""
        return Listing(self._database, kind, name=name)

    def has(self, kind: str, term: Term) -> bool:
        """Return whether any document of a kind has a term."""
        return self._postings.has(kind, term)

    def get_all(self, kind: str, names: Sequence[str]) -> list[Document | None]:
        """Return what `get` returns for each name, in one statement."""
        rows = self._database.rows(
            "SELECT d.* FROM json_each(?) AS n CROSS JOIN documents AS d ON d.kind=? AND d.name=n.value"
            " AND d.version=''",
            *(json.dumps(names), kind),
        )
        found = {row["name"]: _document(row) for row in rows}
        return [found.get(name) for name in names]

    def newest(self, kind: str, terms: Sequence[Term]) -> list[Document | None]:
        """Return the newest document of each term, in one statement."""
        rows = self._database.rows(
            "SELECT t.key AS place, d.* FROM json_each(?) AS t CROSS JOIN documents AS d"
            " INDEXED BY documents_by_sequence ON d.kind=? AND d.sequence="
            "(SELECT sequence FROM postings WHERE kind=? AND term=t.value ORDER BY sequence DESC LIMIT 1)",
            *(keys(terms), kind, kind),
        )
        found = {row["place"]: _document(row) for row in rows}
        return [found.get(place) for place in range(len(terms))]

    def highest(self, kind: str, names: Sequence[str]) -> list[int]:
        """Return for each name the largest version that is a whole number, 0 for none, in one statement."""
        rows = self._database.rows(
            "SELECT (SELECT version FROM documents WHERE kind=? AND name=n.value AND version <> ''"
            " AND version NOT GLOB '*[^0-9]*'"
            " ORDER BY length(ltrim(version, '0')) DESC, ltrim(version, '0') DESC LIMIT 1) AS highest"
            " FROM json_each(?) AS n",
            *(kind, json.dumps(names)),
        )
        return [int(row["highest"] or 0) for row in rows]

    def _write_terms(self, document: Document) -> None:
        terms = self._terms.get(document.kind)
        if terms is not None:
            self._postings.write(document.kind, document.sequence, terms(document))

    def _next(self) -> int:
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO counters VALUES ('sequence', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1"
            )
            return int(connection.execute("SELECT value FROM counters WHERE name='sequence'").fetchone()[0])


@dataclass(frozen=True, slots=True)
class Listing:
    """The documents of a kind that have a name, or all of some terms; read page by page, each placed by its sequence.

    A page is read through an index that has the order of the list. With two terms or more the index of the first is
    walked, so the one that fewer documents have should come first.
    """

    database: Database
    kind: str
    name: str | None = None
    terms: tuple[Term, ...] = ()

    def read(
        self, *, after: int | None = None, skip: int = 0, limit: int = -1, oldest_first: bool = False
    ) -> list[tuple[int, Document]]:
        """Return up to `limit` documents (-1: all), newest creation first, each with its place in the list.

        `after` is the place at which an earlier read ended. What is skipped is counted, not read.
        """
        where, values = self._where()
        sign, order = (">", "ASC") if oldest_first else ("<", "DESC")
        place = f"{'p' if self.terms else 'd'}.sequence"
        if after is not None:
            where, values = f"{where} AND {place}{sign}?", [*values, after]
        if skip:
            index = "postings AS p" if self.terms else "documents AS d"
            counted = f"SELECT {place} AS place FROM {index} WHERE {where} ORDER BY {place} {order} LIMIT 1 OFFSET ?"  # noqa: S608 - fixed text
            first = self.database.row(counted, *values, skip)
            if first is None:
                return []
            where, values = f"{where} AND {place}{sign}=?", [*values, first["place"]]
        # CROSS, INDEXED and the plus: by its guesses SQLite looks through all documents of the kind for each posting.
        source = (
            "postings AS p CROSS JOIN documents AS d INDEXED BY documents_by_sequence"
            " ON d.kind=p.kind AND d.sequence=+p.sequence"
        )
        statement = f"SELECT d.* FROM {source if self.terms else 'documents AS d'} WHERE {where}"  # noqa: S608 - fixed text
        rows = self.database.rows(f"{statement} ORDER BY {place} {order} LIMIT ?", *values, limit)
        return [(row["sequence"], _document(row)) for row in rows]

    def all(self) -> list[Document]:
        """Return the documents, newest creation first; it takes as long as they are many."""
        return [document for _, document in self.read()]

    def first(self) -> Document | None:
        """Return the newest document, None when there is none."""
        found = self.read(limit=1)
        return found[0][1] if found else None

    def _where(self) -> tuple[str, list[object]]:
        if self.terms:
            text, terms = having(self.terms)
            return text, [self.kind, *terms]
        if self.name is not None:
            return "d.kind=? AND d.name=?", [self.kind, self.name]
        return "d.kind=?", [self.kind]
