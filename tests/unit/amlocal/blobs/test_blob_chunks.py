import errno
import hashlib
import os
import sys
import threading
from io import FileIO
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.blobs import chunks
from amlocal.blobs.chunks import PIECE, ChunkFolder
from amlocal.blobs.values import Chunk, DamagedStore, StorageFull


@pytest.fixture
def folder(tmp_path: Path) -> ChunkFolder:
    return ChunkFolder(tmp_path / "chunks")


def files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "chunks").rglob("*") if path.is_file()]


def keep(folder: ChunkFolder, *pieces: bytes) -> Chunk:
    with folder.writer() as writer:
        writer.write(pieces)
        with folder.keep(writer) as chunk:
            return chunk


def test_a_chunk_is_a_file_named_after_its_sha256(folder: ChunkFolder, tmp_path: Path) -> None:
    chunk = keep(folder, b"ab", b"c")
    assert files(tmp_path) == [tmp_path / "chunks" / chunk.digest[:2] / hashlib.sha256(b"abc").hexdigest()]


def test_the_same_content_twice_is_one_file(folder: ChunkFolder, tmp_path: Path) -> None:
    keep(folder, b"abc")
    keep(folder, b"a", b"bc")
    assert len(files(tmp_path)) == 1


def test_an_empty_chunk_can_be_read(folder: ChunkFolder) -> None:
    assert list(folder.read([keep(folder)], 0, 0)) == []


def test_an_abandoned_write_leaves_no_file(folder: ChunkFolder, tmp_path: Path) -> None:
    with folder.writer() as writer:
        writer.write([b"half"])
    assert files(tmp_path) == []


def test_what_a_killed_process_left_is_swept_and_what_is_being_written_is_not(
    folder: ChunkFolder, tmp_path: Path
) -> None:
    (tmp_path / "chunks" / "incoming" / "left").write_bytes(b"half")
    with folder.writer() as writer:
        writer.write([b"half"])
        folder.sweep(set)
        assert files(tmp_path) == [writer.path]


def test_opening_the_folder_once_more_changes_nothing(folder: ChunkFolder, tmp_path: Path) -> None:
    with folder.writer() as writer:
        writer.write([b"half"])
        ChunkFolder(tmp_path / "chunks")
        assert files(tmp_path) == [writer.path]


def test_a_writer_that_was_left_writes_nothing_more(folder: ChunkFolder, tmp_path: Path) -> None:
    with folder.writer() as writer:
        writer.write([b"half"])
    with pytest.raises(ValueError, match="closed"):
        writer.write([b"more"])
    assert files(tmp_path) == []


def test_a_writer_counts_md5_when_asked_to(folder: ChunkFolder) -> None:
    with folder.writer(md5=True) as writer:
        writer.write([b"ab", b"c"])
        assert writer.md5 == "kAFQmDzST7DWlj99KOF/cg=="


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_and_nothing_is_kept(folder: ChunkFolder, tmp_path: Path, number: int) -> None:
    with (
        patch.object(chunks, "FileIO", side_effect=OSError(number, "full")),
        pytest.raises(StorageFull, match="No space left"),
        folder.writer() as writer,
    ):
        writer.write([b"abc"])
    assert files(tmp_path) == []


def test_another_failure_of_the_disk_is_not_taken_for_a_full_one(folder: ChunkFolder) -> None:
    with (
        patch.object(chunks, "FileIO", side_effect=OSError(errno.EIO, "broken")),
        pytest.raises(OSError, match="broken"),
        folder.writer() as writer,
    ):
        writer.write([b"abc"])


def test_a_short_write_is_continued(folder: ChunkFolder) -> None:
    class Short(FileIO):
        def write(self, data: Any) -> int:
            return super().write(data[:2])

    with patch.object(chunks, "FileIO", Short):
        chunk = keep(folder, b"abcde")
    assert b"".join(folder.read([chunk], 0, 5)) == b"abcde"


@given(contents=st.lists(st.binary(max_size=20), max_size=5), start=st.integers(0, 60), stop=st.integers(0, 60))
def test_a_range_of_the_chunks_is_the_slice_of_their_content(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes], start: int, stop: int
) -> None:
    folder = ChunkFolder(tmp_path_factory.mktemp("range"))
    chunks = [keep(folder, content) for content in contents]
    assert b"".join(folder.read(chunks, start, stop)) == b"".join(contents)[start:stop]


def test_a_long_chunk_is_read_in_pieces(folder: ChunkFolder) -> None:
    chunk = keep(folder, b"x" * (PIECE + 1))
    assert [len(piece) for piece in folder.read([chunk], 0, chunk.size)] == [PIECE, 1]


def test_a_missing_chunk_is_damage(folder: ChunkFolder, tmp_path: Path) -> None:
    chunk = keep(folder, b"abc")
    files(tmp_path)[0].unlink()
    with pytest.raises(DamagedStore, match="has no bytes instead of 3"):
        list(folder.read([chunk], 0, 3))


def test_a_shortened_chunk_is_damage(folder: ChunkFolder, tmp_path: Path) -> None:
    chunk = keep(folder, b"abc")
    files(tmp_path)[0].write_bytes(b"a")
    with pytest.raises(DamagedStore, match="has 1 bytes instead of 3"):
        folder.copy([chunk], tmp_path / "copy")


def test_a_copy_may_be_changed_without_changing_the_chunk(folder: ChunkFolder, tmp_path: Path) -> None:
    chunks = [keep(folder, b"abc"), keep(folder, b"def")]
    target = tmp_path / "copy"
    folder.copy(chunks, target)
    with target.open("r+b") as file:
        file.write(b"XXX")
    assert (target.read_bytes(), b"".join(folder.read(chunks, 0, 6))) == (b"XXXdef", b"abcdef")


def test_a_copy_replaces_a_link_and_leaves_what_it_pointed_to(folder: ChunkFolder, tmp_path: Path) -> None:
    victim, link = tmp_path / "victim", tmp_path / "link"
    victim.write_bytes(b"mine")
    link.symlink_to(victim)
    folder.copy([keep(folder, b"abc")], link)
    assert (victim.read_bytes(), link.read_bytes(), link.is_symlink()) == (b"mine", b"abc", False)


@pytest.mark.skipif(sys.platform != "linux", reason="copy_file_range is Linux's")
@pytest.mark.parametrize("number", [errno.EXDEV, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
def test_a_copy_succeeds_where_the_kernel_cannot_make_it(folder: ChunkFolder, tmp_path: Path, number: int) -> None:
    chunks = [keep(folder, b"abc"), keep(folder, b"def")]
    with patch.object(os, "copy_file_range", side_effect=OSError(number, "no")):
        folder.copy(chunks, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"abcdef"


@pytest.mark.skipif(sys.platform != "linux", reason="copy_file_range is Linux's")
def test_a_copy_onto_a_full_disk_is_named(folder: ChunkFolder, tmp_path: Path) -> None:
    chunk = keep(folder, b"abc")
    with (
        patch.object(os, "copy_file_range", side_effect=OSError(errno.ENOSPC, "full")),
        pytest.raises(StorageFull),
    ):
        folder.copy([chunk], tmp_path / "copy")


def test_a_copy_is_made_where_there_is_no_copy_file_range(folder: ChunkFolder, tmp_path: Path) -> None:
    chunk = keep(folder, b"abc")
    with patch.object(sys, "platform", "darwin"):
        folder.copy([chunk], tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"abc"


def test_a_sweep_removes_what_nothing_names(folder: ChunkFolder, tmp_path: Path) -> None:
    named, _ = keep(folder, b"named"), keep(folder, b"lost")
    assert folder.sweep(lambda: {named.digest}) == 1
    assert [path.name for path in files(tmp_path)] == [named.digest]


def test_a_sweep_spares_what_is_being_stored(folder: ChunkFolder) -> None:
    with folder.writer() as writer:
        writer.write([b"new"])
        with folder.keep(writer):
            assert folder.sweep(set) == 0


def test_a_sweep_spares_what_was_stored_after_it_asked_for_the_names(folder: ChunkFolder) -> None:
    def named() -> set[str]:
        keep(folder, b"stored, and named, while the sweep was asking")
        return set()

    assert folder.sweep(named) == 0


def test_a_sweep_that_fails_leaves_the_next_one_whole(folder: ChunkFolder) -> None:
    keep(folder, b"lost")
    with pytest.raises(OSError, match="gone"):
        folder.sweep(MagicMock(side_effect=OSError("the database is gone")))
    assert folder.sweep(set) == 1


def test_one_of_two_readers_that_ends_does_not_unpin_for_the_other(folder: ChunkFolder) -> None:
    chunk = keep(folder, b"read twice")
    with folder.pinned([chunk]):
        with folder.pinned([chunk]):
            pass
        assert folder.sweep(set) == 0
    assert folder.sweep(set) == 1


def test_writers_and_sweeps_at_once_lose_no_named_chunk(folder: ChunkFolder) -> None:
    named: set[str] = set()
    chunks: list[Chunk] = []
    done = threading.Event()

    def store(number: int) -> None:
        with folder.writer() as writer:
            writer.write([b"chunk %d" % (number % 7)])
            with folder.keep(writer) as chunk:
                named.add(chunk.digest)
                chunks.append(chunk)

    def work(first: int) -> None:
        for number in range(first, first + 50):
            store(number)

    def sweep() -> None:
        while not done.is_set():
            folder.sweep(lambda: set(named))

    workers = [threading.Thread(target=work, args=[50 * number]) for number in range(3)]
    sweeper = threading.Thread(target=sweep)
    for thread in (sweeper, *workers):
        thread.start()
    for thread in workers:
        thread.join()
    done.set()
    sweeper.join()
    assert all(b"".join(folder.read([chunk], 0, chunk.size)).startswith(b"chunk") for chunk in chunks)
