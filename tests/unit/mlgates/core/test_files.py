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
