"""Files are there whole or not at all."""

from pathlib import Path

import pytest

from mlgates.core.files import write_whole


def test_a_file_is_written_with_its_folder(tmp_path: Path) -> None:
    assert write_whole(tmp_path / "a" / "b.json", "é").read_bytes() == "é".encode()


def test_what_cannot_be_finished_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_whole(tmp_path / "record.json", "old")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write_whole(file, "new")
    assert file.read_text() == "old"


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, replace, others = tmp_path / "kept.json", Path.replace, ["second"]

    def after_another(part: Path, target: Path) -> Path:
        if others:
            write_whole(file, others.pop())
        return replace(part, target)

    monkeypatch.setattr(Path, "replace", after_another)
    assert write_whole(file, "first").read_text() == "first"


def test_what_cannot_be_finished_leaves_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match=r"^$"):
        write_whole(tmp_path / "record.json", "new")
    assert list(tmp_path.iterdir()) == []
