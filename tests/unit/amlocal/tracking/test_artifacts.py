"""Artifacts: where MLflow's paths lead, and what is kept, read and listed there."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.blobs import Blob, BlobStore
from amlocal.core.context import system_clock
from amlocal.core.errors import NotFound
from amlocal.tracking.artifacts import (
    ArtifactEntry,
    ArtifactPath,
    Artifacts,
    artifact_path,
    folder_entries,
    parse_artifact_path,
)
from amlocal.tracking.errors import InvalidArtifactPath

RUN_IDS = st.from_regex(r"[a-zA-Z0-9][A-Za-z0-9_-]{0,40}", fullmatch=True)
SEGMENTS = st.text(st.characters(exclude_categories=["C"], exclude_characters="/\\%"), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..")
)
PATHS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join)


@given(run=RUN_IDS, path=PATHS)
def test_a_path_below_a_run_names_the_blob_that_azure_keeps_it_in(run: str, path: str) -> None:
    assert parse_artifact_path(f"7/{run}/artifacts/{path}").blob == f"ExperimentRun/dcid.{run}/{path}"


@given(run=RUN_IDS, before=PATHS, after=PATHS, times=st.integers(0, 3), dots=st.sampled_from([".", ".."]))
def test_no_encoding_of_dots_leaves_the_run(run: str, before: str, after: str, times: int, dots: str) -> None:
    for _ in range(times):
        dots = quote(dots.replace(".", "%2e"), safe="")
    with pytest.raises(InvalidArtifactPath):
        artifact_path(run, f"{before}/{dots}/{after}")


@given(run=RUN_IDS, path=st.text(max_size=20))
def test_whatever_is_taken_stays_below_its_run(run: str, path: str) -> None:
    try:
        taken = artifact_path(run, path)
    except InvalidArtifactPath:
        return
    assert f"{taken.blob}/".startswith(f"ExperimentRun/dcid.{run}/")


@pytest.mark.parametrize("path", ["/etc/passwd", "a//b", "a\\b", "a\0b", "a\nb", "%2Fetc", "a/%2e%2e/b"])
def test_paths_that_could_mean_another_place_are_refused(path: str) -> None:
    with pytest.raises(InvalidArtifactPath, match="Invalid artifact path"):
        artifact_path("run", path)


@pytest.mark.parametrize("text", ["", "7", "7/run", "artifacts/x", "7/run/files/x", "7/../artifacts/x", "7//artifacts"])
def test_a_text_that_names_no_run_is_refused(text: str) -> None:
    with pytest.raises(InvalidArtifactPath):
        parse_artifact_path(text)


def test_all_of_a_runs_artifacts_are_its_folder() -> None:
    path = parse_artifact_path("7/run/artifacts/")
    assert (path.run_id, path.path, path.blob) == ("run", "", "ExperimentRun/dcid.run")


def test_the_owner_stands_before_the_first_artifacts() -> None:
    path = parse_artifact_path("team/7/run/artifacts/artifacts/x")
    assert (path.run_id, path.path) == ("run", "artifacts/x")


NOW = system_clock()
NAMES = st.text("abc.", min_size=1, max_size=3)
TREES = st.dictionaries(st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.integers(0, 9), max_size=12)


def blob(name: str, size: int) -> Blob:
    return Blob("azureml", name, size, "etag", NOW, NOW, "text/plain", None, {}, ())


@given(tree=TREES)
def test_a_listing_names_each_child_once(tree: dict[str, int]) -> None:
    names = [entry.name for entry in folder_entries("run/", [blob(f"run/{name}", size) for name, size in tree.items()])]
    assert names == sorted({path.split("/")[0] for path in tree})


@given(tree=TREES)
def test_what_holds_other_files_is_a_folder_and_the_rest_has_its_size(tree: dict[str, int]) -> None:
    for entry in folder_entries("run/", [blob(f"run/{name}", size) for name, size in tree.items()]):
        holds = any(path.startswith(f"{entry.name}/") for path in tree)
        assert entry.size == (None if holds else tree[entry.name])


def test_the_mark_of_an_empty_folder_is_not_an_entry() -> None:
    assert folder_entries("run/", [blob("run/", 0)]) == []


def test_an_entry_on_the_wire_has_a_size_only_as_a_file() -> None:
    assert ArtifactEntry("a", 0).wire("f") == {"path": "f/a", "is_dir": False, "file_size": 0}
    assert ArtifactEntry("d", None).wire("") == {"path": "d", "is_dir": True}


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
    assert artifacts.list(ArtifactPath("run", "")) == [ArtifactEntry("model2", None)]


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
