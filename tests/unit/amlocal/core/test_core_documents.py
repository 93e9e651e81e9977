"""Documents against a model: a dictionary, and the order in which its keys were first written."""

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from amlocal.core.database import Database
from amlocal.core.documents import Document, Documents

KINDS = st.sampled_from(["data", "data/container", "models"])
NAMES = st.sampled_from(["a", "A", "ü", "a/b", ""])
VERSIONS = st.sampled_from(["", "1", "10", "2"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
BODIES = st.dictionaries(st.text(), JSON, max_size=4)


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
    def open(self) -> None:
        self.database = Database(Path(self.folder.name) / "workspace.db")
        self.documents = Documents(self.database)

    @rule()
    def reopen(self) -> None:
        self.database.close()
        self.open()

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
    def list(self, kind: str, name: str) -> None:
        of_kind = [known for known in reversed(self.order) if known[0] == kind]
        assert [key(document) for document in self.documents.list(kind)] == of_kind
        assert [key(document) for document in self.documents.list(kind, name)] == [
            found for found in of_kind if found[1] == name
        ]

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
