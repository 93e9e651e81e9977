import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.blobs import BlobNotFound, BlobStore, StorageError, UnsafePath
from amlocal.blobs.values import path_below


def names(store: BlobStore) -> list[str]:
    return [blob.name for blob in store.list("box")]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def write(folder: Path, *paths: str) -> Path:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
    return folder


def test_a_folder_goes_in_and_comes_out_again(store: BlobStore, tmp_path: Path) -> None:
    source = write(tmp_path / "source", "MLmodel", "a/b/c.txt", "a/ü %#+.txt")
    store.put_tree("box", "model", source)
    assert store.fetch_tree("box", "model", tmp_path / "target") == 3
    assert files(tmp_path / "target") == files(source)


def test_blobs_of_a_folder_are_named_below_the_prefix(store: BlobStore, tmp_path: Path) -> None:
    put = store.put_tree("box", "x/y/", write(tmp_path / "source", "b/c", "a"))
    assert [blob.name for blob in put] == names(store) == ["x/y/a", "x/y/b/c"]


def test_a_folder_can_become_a_whole_container(store: BlobStore, tmp_path: Path) -> None:
    store.put_tree("box", "", write(tmp_path / "source", "a"))
    assert names(store) == ["a"]


def test_a_linked_folder_is_put_once_and_a_circle_ends(store: BlobStore, tmp_path: Path) -> None:
    source = write(tmp_path / "source", "a/x")
    (source / "linked").symlink_to(source / "a")
    (source / "a" / "circle").symlink_to(source)
    (source / "dangling").symlink_to(tmp_path / "nothing")
    os.mkfifo(source / "pipe")
    store.put_tree("box", "", source)
    assert names(store) == ["a/x", "linked/x"]


@pytest.mark.skipif(sys.platform == "darwin", reason="needs a file system that takes any bytes for a name")
def test_a_file_name_that_is_not_unicode_is_refused(store: BlobStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    Path(os.fsdecode(os.fsencode(source) + b"/\xff")).touch()
    with pytest.raises(StorageError, match="not Unicode"):
        store.put_tree("box", "", source)


def test_model_does_not_fetch_model2(store: BlobStore, tmp_path: Path) -> None:
    store.put_bytes("box", "model/a", b"1")
    store.put_bytes("box", "model2/b", b"2")
    store.put_bytes("box", "model", b"3")
    assert store.fetch_tree("box", "model", tmp_path / "target") == 1
    assert files(tmp_path / "target") == {"a": b"1"}


def test_nothing_below_a_prefix_is_an_empty_folder(store: BlobStore, tmp_path: Path) -> None:
    assert store.fetch_tree("box", "model", tmp_path / "target") == 0
    assert (tmp_path / "target").is_dir()


def test_folder_markers_become_folders(store: BlobStore, tmp_path: Path) -> None:
    store.put_bytes("box", "model/", b"")
    store.put_bytes("box", "model/empty/", b"")
    store.put_bytes("box", "model/marked", b"", metadata={"hdi_isfolder": "true"})
    assert store.fetch_tree("box", "model", tmp_path / "target") == 0
    assert sorted(path.name for path in (tmp_path / "target").iterdir()) == ["empty", "marked"]


def test_a_name_cannot_be_file_and_folder_at_once(store: BlobStore, tmp_path: Path) -> None:
    store.put_bytes("box", "m/a", b"")
    store.put_bytes("box", "m/a/b", b"")
    with pytest.raises(UnsafePath, match="file and a folder"):
        store.fetch_tree("box", "m", tmp_path / "target")


def test_fetching_again_replaces_what_was_changed(store: BlobStore, tmp_path: Path) -> None:
    store.put_bytes("box", "m/a", b"good")
    write(tmp_path / "target", "a")
    store.fetch_tree("box", "m", tmp_path / "target")
    assert files(tmp_path / "target") == {"a": b"good"}


@pytest.mark.parametrize("name", ["m//etc/passwd", "m/a//b", "m/a//", "m/a\\", "m/nul\0"])
def test_a_name_that_is_no_relative_path_is_not_fetched(store: BlobStore, tmp_path: Path, name: str) -> None:
    store.put_bytes("box", name, b"")
    with pytest.raises(UnsafePath, match="cannot become a path"):
        store.fetch_tree("box", "m", tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_a_link_out_of_the_folder_is_not_followed(store: BlobStore, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "target" / "link").symlink_to(tmp_path / "outside")
    store.put_bytes("box", "m/link/a", b"")
    with pytest.raises(UnsafePath, match="would leave"):
        store.fetch_tree("box", "m", tmp_path / "target")
    assert files(tmp_path / "outside") == {}


@given(relative=st.text(st.sampled_from("a./\\\0"), max_size=8))
def test_a_path_below_a_folder_is_below_it_or_refused(relative: str) -> None:
    folder = Path("/some/folder")
    try:
        target = path_below(folder, relative)
    except UnsafePath:
        return
    assert os.path.normpath(target) == str(target)
    assert folder in target.parents


def test_a_single_blob_is_fetched_to_a_file(store: BlobStore, tmp_path: Path) -> None:
    store.put_bytes("box", "a", b"abc")
    store.fetch_file("box", "a", tmp_path / "deep" / "file")
    assert (tmp_path / "deep" / "file").read_bytes() == b"abc"


def test_fetching_no_blob_leaves_no_file(store: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(BlobNotFound):
        store.fetch_file("box", "a", tmp_path / "file")
    assert not (tmp_path / "file").exists()
