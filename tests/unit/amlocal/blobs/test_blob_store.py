import sqlite3
from datetime import timedelta
from pathlib import Path
from unittest.mock import MagicMock, patch

import pytest

from amlocal.blobs import Blob, BlobNotFound, BlobStore, ContainerNotFound, StorageError, StorageFull
from amlocal.blobs.blocks import BlockListEntry, BlockSource
from amlocal.blobs.values import BlobProperties
from amlocal.core.database import Database
from tests.unit.amlocal.blobs.wire import START, CountingIds, ManualClock


def content(store: BlobStore, name: str) -> bytes:
    return b"".join(store.read(store.require("box", name)))


def stage(store: BlobStore, block: str, content: bytes, *, name: str = "a") -> None:
    with store.writer() as writer:
        writer.write([content])
        store.put_block("box", name, block, writer)


def commit(store: BlobStore, *entries: tuple[str, str]) -> Blob:
    return store.commit_blocks(
        "box", "a", [BlockListEntry(BlockSource(source), block) for source, block in entries], BlobProperties()
    )


def chunk_files(tmp_path: Path) -> int:
    return sum(path.is_file() for path in (tmp_path / "blobs").rglob("*"))


def test_a_blob_says_what_it_was_written_with(store: BlobStore) -> None:
    store.put_bytes("box", "a", b"abc", content_type="text/plain", metadata={"k": "v"})
    blob = store.require("box", "a")
    assert (blob.size, blob.content_type, blob.metadata, blob.created) == (3, "text/plain", {"k": "v"}, START)


def test_a_blob_survives_the_process(store: BlobStore, tmp_path: Path, database: Database) -> None:
    store.put_bytes("box", "a", b"abc")
    again = BlobStore(tmp_path / "blobs", database, ManualClock(), CountingIds())
    assert content(again, "a") == b"abc"


def test_replacing_a_blob_changes_etag_and_modified_but_not_created(store: BlobStore, clock: ManualClock) -> None:
    first = store.put_bytes("box", "a", b"1")
    clock.advance(seconds=1)
    second = store.put_bytes("box", "a", b"2")
    assert second.etag != first.etag
    assert (second.created, second.modified) == (first.created, first.modified + timedelta(seconds=1))


def test_a_reader_keeps_the_content_it_found(store: BlobStore) -> None:
    blob = store.put_bytes("box", "a", b"old")
    reader = store.read(blob)
    store.put_bytes("box", "a", b"new")
    assert b"".join(reader) == b"old"


def test_a_file_becomes_a_blob(store: BlobStore, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 3_000_000)
    blob = store.put_file("box", "a", path, metadata={"k": "v"})
    assert (blob.size, content(store, "a") == path.read_bytes(), blob.metadata) == (3_000_000, True, {"k": "v"})


def test_metadata_can_be_replaced(store: BlobStore) -> None:
    before = store.put_bytes("box", "a", b"abc", metadata={"old": "1"})
    after = store.set_metadata("box", "a", {"new": "2"})
    assert (store.get("box", "a"), after.metadata, after.etag != before.etag) == (after, {"new": "2"}, True)


def test_metadata_of_no_blob_cannot_be_set(store: BlobStore) -> None:
    with pytest.raises(BlobNotFound, match="no blob 'a'"):
        store.set_metadata("box", "a", {})


def test_deleting_says_whether_there_was_a_blob(store: BlobStore) -> None:
    store.put_bytes("box", "a", b"")
    assert (store.delete("box", "a"), store.delete("box", "a")) == (True, False)


def test_a_container_is_created_once(store: BlobStore) -> None:
    assert (store.add_container("other"), store.add_container("other")) == (True, False)


def test_creating_a_container_again_changes_nothing(store: BlobStore, clock: ManualClock) -> None:
    clock.advance(days=1)
    store.create_container("box")
    assert store.container_created("box") == START


def test_an_unknown_container_takes_no_blob(store: BlobStore) -> None:
    with pytest.raises(ContainerNotFound, match="'nowhere'"):
        store.put_bytes("nowhere", "a", b"")


def test_an_unknown_container_is_distinguished_from_an_unknown_blob(store: BlobStore) -> None:
    with pytest.raises(BlobNotFound):
        store.require("box", "a")
    with pytest.raises(ContainerNotFound):
        store.require("nowhere", "a")


def test_a_guard_that_refuses_leaves_the_blob_as_it_was(store: BlobStore) -> None:
    store.put_bytes("box", "a", b"old")

    def refuse(known: Blob | None) -> None:
        raise KeyError(known.name if known else None)

    with store.writer() as writer, pytest.raises(KeyError, match="a"):
        store.put("box", "a", writer, BlobProperties(), refuse)
    assert content(store, "a") == b"old"


def test_a_full_database_is_a_full_disk(tmp_path: Path) -> None:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    database = MagicMock(spec=Database, **{"transaction.side_effect": error})
    store = BlobStore(tmp_path / "blobs", database, ManualClock(), CountingIds())
    with pytest.raises(StorageFull):
        store.create_container("box")


def test_another_failure_of_the_database_is_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    error = sqlite3.OperationalError("no such table")
    error.sqlite_errorcode = sqlite3.SQLITE_ERROR
    database = MagicMock(spec=Database, **{"transaction.side_effect": error})
    store = BlobStore(tmp_path / "blobs", database, ManualClock(), CountingIds())
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        store.create_container("box")


def test_blocks_become_a_blob_in_the_order_of_the_list(store: BlobStore) -> None:
    stage(store, "1", b"one")
    stage(store, "2", b"two")
    commit(store, ("Latest", "2"), ("Latest", "1"), ("Uncommitted", "2"))
    assert content(store, "a") == b"twoonetwo"


def test_a_staged_block_is_no_blob_yet(store: BlobStore) -> None:
    stage(store, "1", b"one")
    assert store.get("box", "a") is None


def test_latest_means_the_uncommitted_block_before_the_committed_one(store: BlobStore) -> None:
    stage(store, "1", b"old")
    commit(store, ("Latest", "1"))
    stage(store, "1", b"new")
    commit(store, ("Latest", "1"), ("Committed", "1"))
    assert content(store, "a") == b"newold"


def test_an_unknown_block_commits_nothing(store: BlobStore) -> None:
    stage(store, "1", b"one")
    commit(store, ("Latest", "1"))
    with pytest.raises(StorageError, match="names the block '2'") as caught:
        commit(store, ("Latest", "1"), ("Latest", "2"))
    assert (caught.value.status, caught.value.code, content(store, "a")) == (400, "InvalidBlockList", b"one")


def test_a_committed_block_is_no_longer_uncommitted(store: BlobStore) -> None:
    stage(store, "1", b"one")
    commit(store, ("Latest", "1"))
    with pytest.raises(StorageError, match="names the block '1'"):
        commit(store, ("Uncommitted", "1"))


def test_writing_a_blob_whole_forgets_its_staged_blocks(store: BlobStore) -> None:
    stage(store, "1", b"one")
    store.put_bytes("box", "a", b"whole")
    with pytest.raises(StorageError, match="names the block '1'"):
        commit(store, ("Latest", "1"))


def test_the_block_ids_of_a_blob_have_one_length(store: BlobStore) -> None:
    stage(store, "1", b"one")
    with pytest.raises(StorageError, match="one length") as caught:
        stage(store, "22", b"two")
    assert caught.value.code == "InvalidBlobOrBlock"


def test_the_bytes_of_a_deleted_blob_are_freed(store: BlobStore, tmp_path: Path) -> None:
    store.put_bytes("box", "a", b"one")
    store.put_bytes("box", "b", b"two")
    store.delete("box", "a")
    assert (store.collect_garbage(), chunk_files(tmp_path), content(store, "b")) == (1, 1, b"two")


def test_bytes_that_another_blob_shares_are_kept(store: BlobStore) -> None:
    store.put_bytes("box", "a", b"same")
    store.put_bytes("box", "b", b"same")
    store.delete("box", "a")
    assert (store.collect_garbage(), content(store, "b")) == (0, b"same")


def test_staged_blocks_are_kept_for_a_week(store: BlobStore, clock: ManualClock) -> None:
    stage(store, "1", b"one")
    clock.advance(days=7)
    assert store.collect_garbage() == 0
    clock.advance(seconds=1)
    assert store.collect_garbage() == 1


def test_garbage_is_not_collected_under_a_reader(store: BlobStore) -> None:
    stage(store, "1", b"one")
    stage(store, "2", b"two")
    reader = store.read(commit(store, ("Latest", "1"), ("Latest", "2")))
    first = next(reader)
    store.delete("box", "a")
    assert (store.collect_garbage(), first + b"".join(reader), store.collect_garbage()) == (0, b"onetwo", 2)


def test_a_container_is_there_once_created(store: BlobStore) -> None:
    assert (store.has_container("box"), store.has_container("other")) == (True, False)


def test_the_chunks_of_a_blob_are_looked_at_when_its_bytes_are_asked_for(store: BlobStore) -> None:
    store.put_bytes("box", "name", b"content")
    with patch("amlocal.blobs.catalog.Chunk", side_effect=AssertionError):
        found = store.require("box", "name")
        assert (found.size, found.content_type) == (7, "application/octet-stream")
        store.set_metadata("box", "name", {"a": "b"})
    assert b"".join(store.read(store.require("box", "name"))) == b"content"
