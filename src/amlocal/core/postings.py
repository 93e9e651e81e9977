"""An inverted index: which documents answer to a term, so that a page of a list is read without reading the list."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b

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
        """Tell whether any document has the term."""
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
