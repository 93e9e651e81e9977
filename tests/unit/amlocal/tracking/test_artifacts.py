"""Artifacts over the blob store."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.blobs import Blob, BlobStore
from amlocal.core.clock import system_clock
from amlocal.core.errors import NotFound
from amlocal.tracking.artifact_paths import ArtifactPath
from amlocal.tracking.artifacts import Artifacts, Entry, entries
from amlocal.tracking.errors import InvalidArtifactPath

NOW = system_clock()
NAMES = st.text("abc.", min_size=1, max_size=3)
TREES = st.dictionaries(st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.integers(0, 9), max_size=12)


def blob(name: str, size: int) -> Blob:
    return Blob("azureml", name, size, "etag", NOW, NOW, "text/plain", None, {}, ())


@given(tree=TREES)
def test_a_listing_names_each_child_once(tree: dict[str, int]) -> None:
    names = [entry.name for entry in entries("run/", [blob(f"run/{name}", size) for name, size in tree.items()])]
    assert names == sorted({path.split("/")[0] for path in tree})


@given(tree=TREES)
def test_what_holds_other_files_is_a_folder_and_the_rest_has_its_size(tree: dict[str, int]) -> None:
    for entry in entries("run/", [blob(f"run/{name}", size) for name, size in tree.items()]):
        holds = any(path.startswith(f"{entry.name}/") for path in tree)
        assert entry.size == (None if holds else tree[entry.name])


def test_the_mark_of_an_empty_folder_is_not_an_entry() -> None:
    assert entries("run/", [blob("run/", 0)]) == []


def test_an_entry_on_the_wire_has_a_size_only_as_a_file() -> None:
    assert Entry("a", 0).wire("f") == {"path": "f/a", "is_dir": False, "file_size": 0}
    assert Entry("d", None).wire("") == {"path": "d", "is_dir": True}


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


def write(artifacts: Artifacts, path: str, *content: bytes) -> None:
    asyncio.run(artifacts.write(ArtifactPath("run", path), pieces(*content), "text/plain"))


def read(artifacts: Artifacts, path: str) -> bytes:
    async def collect() -> bytes:
        found = artifacts.find(ArtifactPath("run", path))
        return b"".join([piece async for piece in artifacts.read(found)])

    return asyncio.run(collect())


@pytest.mark.parametrize("content", [[], [b"one"], [b"one", b"two"]])
def test_what_was_written_is_read(blobs: BlobStore, content: list[bytes]) -> None:
    artifacts = Artifacts(blobs)
    write(artifacts, "model/weights", *content)
    assert read(artifacts, "model/weights") == b"".join(content)


def test_a_write_that_breaks_off_leaves_what_was_there(blobs: BlobStore) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    artifacts = Artifacts(blobs)
    write(artifacts, "a", b"whole")
    with pytest.raises(ConnectionResetError):
        asyncio.run(artifacts.write(ArtifactPath("run", "a"), broken(), "text/plain"))
    assert read(artifacts, "a") == b"whole"


def test_a_file_needs_a_name(blobs: BlobStore) -> None:
    with pytest.raises(InvalidArtifactPath, match="needs a name"):
        write(Artifacts(blobs), "", b"x")


def test_deleting_a_folder_spares_its_neighbours(blobs: BlobStore) -> None:
    artifacts = Artifacts(blobs)
    for path in ("model/a", "model/deep/b", "model2/c"):
        write(artifacts, path, b"x")
    artifacts.delete(ArtifactPath("run", "model"))
    assert artifacts.list(ArtifactPath("run", "")) == [Entry("model2", None)]


def test_a_deleted_file_is_not_found(blobs: BlobStore) -> None:
    artifacts = Artifacts(blobs)
    write(artifacts, "a", b"x")
    artifacts.delete(ArtifactPath("run", "a"))
    with pytest.raises(NotFound, match="no artifact 'a'"):
        artifacts.find(ArtifactPath("run", "a"))


def test_a_file_has_nothing_in_it(blobs: BlobStore) -> None:
    artifacts = Artifacts(blobs)
    write(artifacts, "a", b"x")
    assert artifacts.list(ArtifactPath("run", "a")) == []
