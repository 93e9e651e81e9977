import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.jobs.folder import JobFolder

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    folder = JobFolder(tmp_path / "job")
    folder.create()
    return folder


def test_a_new_folder_is_empty_whatever_was_there(folder: JobFolder) -> None:
    (folder.work / "old").write_text("old")
    folder.log.write_text("old\n")
    folder.create()
    assert [path.name for path in folder.work.iterdir()] == []
    assert folder.log.read_text() == ""


def test_amlocal_speaks_in_lines_of_its_own(folder: JobFolder) -> None:
    folder.log.write_text("the job's\nhalf a line")
    folder.write_log("first", NOON)
    folder.log_writer(lambda: NOON)("second")
    assert folder.log.read_text() == ("the job's\nhalf a line\n[amlocal 12:00:00] first\n[amlocal 12:00:00] second\n")


def test_a_log_line_of_a_job_without_a_folder_is_dropped(tmp_path: Path) -> None:
    JobFolder(tmp_path / "job").write_log("hello", NOON)
    assert not (tmp_path / "job").exists()


def test_a_log_line_that_is_no_unicode_is_written(folder: JobFolder) -> None:
    folder.write_log("file \udcff", NOON)
    assert folder.log.read_text() == "[amlocal 12:00:00] file ?\n"


@pytest.mark.parametrize(
    ("log", "line"),
    [
        (b"", ""),
        (b"\n\n", ""),
        (b"one\ntwo\n", "two"),
        (b"one\n  two", "two"),
        (b"ValueError: no\n\n \n", "ValueError: no"),
        (b"ok\n\xff\xfe caf\xc3\xa9\n", "\ufffd\ufffd caf\u00e9"),
    ],
)
def test_the_error_is_the_last_line_that_says_something(folder: JobFolder, log: bytes, line: str) -> None:
    folder.log.write_bytes(log)
    assert folder.error_line() == line


def test_of_an_endless_line_only_the_end_is_read(folder: JobFolder) -> None:
    folder.log.write_bytes(b"x" * 100_000 + b"end")
    assert folder.error_line().endswith("xend")
    assert len(folder.error_line()) < 10_000


def test_a_job_without_a_log_has_no_error_line(tmp_path: Path) -> None:
    assert JobFolder(tmp_path / "job").error_line() == ""


@given(log=st.binary(max_size=300))
def test_no_log_is_too_odd_for_an_error_line(tmp_path_factory: pytest.TempPathFactory, log: bytes) -> None:
    folder = JobFolder(tmp_path_factory.mktemp("odd"))
    folder.log.parent.mkdir()
    folder.log.write_bytes(log)
    assert len(folder.error_line().splitlines()) <= 1


def test_what_the_job_made_read_only_goes_too(folder: JobFolder) -> None:
    deep = folder.inputs / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "file").touch()
    for path in (deep, deep.parent, folder.work):
        path.chmod(0o500)
    (folder.outputs / "closed").mkdir(mode=0o000)
    folder.remove()
    assert not folder.root.exists()


def test_removing_follows_no_link(folder: JobFolder, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    outside.chmod(0o755)
    folder.inputs.rmdir()
    folder.inputs.symlink_to(outside)
    folder.remove()
    assert (outside / "file").exists()
    assert outside.stat().st_mode & 0o777 == 0o755


def test_removing_what_is_not_there_does_nothing(tmp_path: Path) -> None:
    JobFolder(tmp_path / "job").remove()
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - names are enough
