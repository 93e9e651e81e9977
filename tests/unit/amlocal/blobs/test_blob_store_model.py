from hashlib import sha256
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from amlocal.blobs import BlobStore
from amlocal.blobs.blocks import BlockListEntry, BlockSource
from amlocal.blobs.values import BlobProperties
from amlocal.core.database import Database
from tests.unit.amlocal.blobs.wire import CountingIds, ManualClock

NAMES = st.sampled_from(["a", "a/b", "a/c", "ab", "b/x", "ü", "\U0010ffff"])
CONTENTS = st.binary(max_size=8)
BLOCKS = st.sampled_from(["1", "2", "3"])


class StoreLikeADict(RuleBasedStateMachine):
    """Any sequence of writes and deletions shows what a dictionary would show."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self._open()
        self.store.create_container("box")
        self.blobs: dict[str, list[bytes]] = {}
        self.staged: dict[str, dict[str, bytes]] = {}

    def _open(self) -> None:
        self._database = Database(Path(self._folder.name) / "workspace.db")
        self.store = BlobStore(Path(self._folder.name) / "blobs", self._database, ManualClock(), CountingIds())

    def teardown(self) -> None:
        self._database.close()
        self._folder.cleanup()

    @rule(name=NAMES, content=CONTENTS)
    def put(self, name: str, content: bytes) -> None:
        self.store.put_bytes("box", name, content)
        self.blobs[name] = [content]
        self.staged.pop(name, None)

    @rule(name=NAMES, block=BLOCKS, content=CONTENTS)
    def stage(self, name: str, block: str, content: bytes) -> None:
        with self.store.writer() as writer:
            writer.write([content])
            self.store.put_block("box", name, block, writer)
        self.staged.setdefault(name, {})[block] = content

    @rule(name=NAMES)
    def commit(self, name: str) -> None:
        blocks = self.staged.pop(name, {})
        self.store.commit_blocks(
            "box", name, [BlockListEntry(BlockSource.LATEST, block) for block in blocks], BlobProperties()
        )
        self.blobs[name] = list(blocks.values())

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        assert self.store.delete("box", name) == (name in self.blobs)
        self.blobs.pop(name, None)

    @rule(prefix=st.sampled_from(["", "a", "a/", "b"]))
    def delete_tree(self, prefix: str) -> None:
        gone = [name for name in self.blobs if not prefix or name.startswith(prefix.rstrip("/") + "/")]
        assert self.store.delete_tree("box", prefix) == len(gone)
        for name in gone:
            del self.blobs[name]

    @rule()
    def collect_garbage(self) -> None:
        self.store.collect_garbage()
        parts = chain(*self.blobs.values(), *(blocks.values() for blocks in self.staged.values()))
        files = {path.name for path in (Path(self._folder.name) / "blobs").glob("??/*")}
        assert files == {sha256(part).hexdigest() for part in parts}

    @rule()
    def restart(self) -> None:
        self._database.close()
        self._open()

    @invariant()
    def holds_what_the_dictionary_holds(self) -> None:
        held = {blob.name: b"".join(self.store.read(blob)) for blob in self.store.list("box")}
        assert held == {name: b"".join(parts) for name, parts in self.blobs.items()}


TestStoreLikeADict = StoreLikeADict.TestCase
TestStoreLikeADict.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
