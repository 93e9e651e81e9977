"""A disk that does not take a write is named, in one line, wherever it was met."""

import errno
import os
import sqlite3
from pathlib import Path

import pytest

from amlocal import launcher, server, state
from amlocal.core.database import Database
from amlocal.core.errors import AmlocalError
from amlocal.core.paths import WorkspaceFolder, naming, write_private
from amlocal.settings import Settings


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO])
def test_an_error_of_the_file_system_names_the_path_and_the_way_out(number: int) -> None:
    with pytest.raises(AmlocalError, match=r"^/a/b cannot be written: .*--root\.$") as caught, naming(Path("/a/b")):
        raise OSError(number, os.strerror(number))
    assert os.strerror(number) in str(caught.value)


def test_an_error_of_sqlite_does_too() -> None:
    with pytest.raises(AmlocalError, match=r"^/a/b cannot be written: database or disk is full"), naming(Path("/a/b")):
        raise sqlite3.OperationalError("database or disk is full")


def test_what_is_no_error_of_the_disk_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="other"), naming(Path("/a")):
        raise ValueError("other")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
def test_a_full_disk_is_named_by_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.mkstemp", lambda **_: (os.open("/dev/full", os.O_WRONLY), str(tmp_path / "part")))
    with pytest.raises(AmlocalError, match=f"{tmp_path}/secrets.json cannot be written: No space left on device"):
        write_private(tmp_path / "secrets.json", b"x")


def shut(_: object, *__: object, **___: object) -> None:
    raise OSError(errno.EROFS, "Read-only file system")


@pytest.mark.parametrize("what", ["mkdir", "chmod"])
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setattr(Path, what, shut)
    with pytest.raises(
        AmlocalError, match=f"{tmp_path}/w.* cannot be written: Read-only file system. Make it writable"
    ):
        WorkspaceFolder(tmp_path / "w").create()


@pytest.mark.parametrize(
    ("file", "action"),
    [
        ("server.lock", state.acquire),
        ("start.lock", lambda folder: state.starting(folder).__enter__()),
        ("server.log", lambda folder: launcher._launch(Settings(root=folder.root.parent, workspace=folder.root.name))),
    ],
)
def test_a_file_that_cannot_be_opened_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, action: object
) -> None:
    monkeypatch.setattr(Path, "open", shut)
    with pytest.raises(AmlocalError, match=f"{tmp_path}/w/{file} cannot be written: Read-only"):
        action(WorkspaceFolder(tmp_path / "w"))  # type: ignore[operator]


def test_a_log_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(AmlocalError, match=f"{tmp_path}/missing/server.log cannot be written: No such file"):
        server.configure_log(tmp_path / "missing" / "server.log")


def test_a_database_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(AmlocalError, match=f"{tmp_path}/missing/w.db cannot be written: unable to open"):
        Database(tmp_path / "missing" / "w.db")
