"""Documents against a model: a dictionary, and the order in which its keys were first written."""

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from amlocal.core.database import Database
from amlocal.core.documents import Document, Documents, Term

KINDS = st.sampled_from(["data", "data/container", "models"])
NAMES = st.sampled_from(["a", "A", "ü", "a/b", ""])
VERSIONS = st.sampled_from(["", "1", "10", "2", "007", "9" * 30, "v1"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
BODIES = st.dictionaries(st.text() | st.sampled_from("xyz"), JSON, max_size=4)


def words(document: Document) -> list[Term]:
    """The terms of a document of the test: the keys of its body."""
    return [(key,) for key in document.body]


class Cancelled(Exception):
    """What a test raises in a transaction."""


class DocumentsAgainstADictionary(RuleBasedStateMachine):
    """The model: bodies by kind, name and version, and every key in the order of its creation."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.model: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.order: list[tuple[str, str, str]] = []

    @initialize()
    def open(self, edition: int = 1) -> None:
        self.database = Database(Path(self.folder.name) / "workspace.db")
        self.documents = Documents(self.database)
        self.documents.index("data", words, edition=edition)

    @rule(edition=st.integers(1, 3))
    def reopen(self, edition: int) -> None:
        self.database.close()
        self.open(edition)

    @rule(kind=KINDS, name=NAMES, version=VERSIONS, body=BODIES)
    def put(self, kind: str, name: str, version: str, body: dict[str, Any]) -> None:
        written = self.documents.put(kind, name, body, version)
        self.remember((kind, name, version), body)
        assert written == self.documents.get(kind, name, version)

    @rule(kind=KINDS, name=NAMES, version=VERSIONS, body=BODIES)
    def put_and_take_back(self, kind: str, name: str, version: str, body: dict[str, Any]) -> None:
        with suppress(Cancelled), self.documents.transaction():
            written = self.documents.put(kind, name, body, version)
            assert self.documents.recall(kind, name, version) == written
            self.documents.delete(kind, name, version)
            assert self.documents.recall(kind, name, version) is None
            raise Cancelled

    @rule(kind=KINDS, name=NAMES, version=VERSIONS)
    def delete(self, kind: str, name: str, version: str) -> None:
        known = (kind, name, version) in self.model
        assert (self.documents.recall(kind, name, version) is not None) is known
        assert self.documents.delete(kind, name, version) is known
        assert self.documents.recall(kind, name, version) is None
        if known:
            del self.model[kind, name, version]
            self.order.remove((kind, name, version))

    def remember(self, key: tuple[str, str, str], body: dict[str, Any]) -> None:
        if key not in self.model:
            self.order.append(key)
        self.model[key] = body

    @rule(kind=KINDS, name=NAMES)
    def list_names(self, kind: str, name: str) -> None:
        of_kind = [known for known in reversed(self.order) if known[0] == kind]
        assert [key(document) for document in self.documents.select(kind).all()] == of_kind
        assert [key(document) for document in self.documents.select_named(kind, name).all()] == [
            found for found in of_kind if found[1] == name
        ]

    @rule(asked=st.lists(st.sampled_from("xyz"), min_size=1, max_size=3, unique=True), data=st.data())
    def select(self, asked: list[str], data: st.DataObject) -> None:
        oldest_first = data.draw(st.booleans())
        order = self.order if oldest_first else self.order[::-1]
        wanted = [known for known in order if known[0] == "data" and set(asked) <= set(self.model[known])]
        listing = self.documents.select("data", *((word,) for word in asked))
        size, skip = data.draw(st.integers(1, 4)), data.draw(st.integers(0, 4))
        found, after = [], None
        while page := listing.read(
            after=after, skip=skip if after is None else 0, limit=size, oldest_first=oldest_first
        ):
            assert len(page) <= size
            found += [key(document) for _, document in page]
            after = page[-1][0]
        assert found == wanted[skip:]
        newest = self.documents.newest("data", [(word,) for word in asked])
        for word, document in zip(asked, newest, strict=True):
            one = self.documents.select("data", (word,)).first()
            assert document == one
            assert self.documents.has("data", (word,)) is (one is not None)

    @rule(names=st.lists(NAMES, max_size=4))
    def highest(self, names: list[str]) -> None:
        def largest(name: str) -> int:
            versions = [known[2] for known in self.model if known[:2] == ("data", name) and known[2].isdecimal()]
            return max(map(int, versions), default=0)

        assert self.documents.highest("data", names) == [largest(name) for name in names]
        plain = [self.documents.get("data", name) for name in names]
        assert self.documents.get_all("data", names) == plain

    @invariant()
    def every_document_is_what_was_written(self) -> None:
        if hasattr(self, "documents"):
            for kind, name, version in self.model:
                found = self.documents.get(kind, name, version)
                assert found
                assert found.body == self.model[kind, name, version]
                assert self.documents.recall(kind, name, version) == found

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
        self.folder.cleanup()


def key(document: Document) -> tuple[str, str, str]:
    return document.kind, document.name, document.version


TestDocumentsAgainstADictionary = DocumentsAgainstADictionary.TestCase
TestDocumentsAgainstADictionary.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)


def test_what_is_recalled_is_read_once_while_nothing_is_written(tmp_path: Path) -> None:
    database = Database(tmp_path / "workspace.db")
    documents = Documents(database)
    documents.put("data", "a", {})
    assert documents.recall("data", "a") is documents.recall("data", "a")
    database.close()


def test_what_was_never_written_is_not_there(tmp_path: Path) -> None:
    database = Database(tmp_path / "workspace.db")
    assert Documents(database).get("data", "a") is None
    database.close()
