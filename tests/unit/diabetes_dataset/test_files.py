from pathlib import Path

import pytest

from diabetes_dataset import files
from diabetes_dataset.errors import DatasetError


def test_a_write_makes_the_folders_and_leaves_nothing_beside_the_file(tmp_path: Path) -> None:
    files.write(tmp_path / "a" / "b.csv", b"x")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.csv"]


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_bytes(b"old")

    def full(path: Path, content: bytes) -> int:
        path.touch()
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        with pytest.raises(DatasetError, match=r"a\.csv: cannot be written \(No space left on device\)"):
            files.write(tmp_path / "a.csv", b"new")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.csv": b"old"}


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="cannot be written"):
        files.write(tmp_path / "file" / "a.csv", b"x")


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"a\.csv: cannot be read \(No such file or directory\)"):
        files.read(tmp_path / "a.csv")
