from pathlib import Path

import pytest

from mlgates.core.errors import ConfigurationError
from mlgates.scaffold.repository import MergeConflict, begin, git, merge_template

LINES = [f"line {number}\n" for number in range(20)]


@pytest.fixture(autouse=True)
def _person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(tmp_path / "none"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = write(tmp_path / "project", {"a.txt": "".join(LINES), "mine.txt": "1\n"})
    begin(root, "1")
    return root


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def edit(root: Path, name: str, content: str) -> None:
    write(root, {name: content})
    git(root, "add", "--all")
    git(root, "commit", "-qm", "edit")


def changed(number: int, text: str) -> str:
    return "".join([*LINES[:number], text, *LINES[number + 1 :]])


def test_a_newer_template_comes_beside_what_was_edited(root: Path, tmp_path: Path) -> None:
    edit(root, "a.txt", changed(2, "mine\n"))
    merge_template(root, write(tmp_path / "new", {"a.txt": changed(17, "newer\n"), "b/c.txt": "new\n"}), "2")
    text = (root / "a.txt").read_text("utf-8")
    assert ("mine\n" in text, "newer\n" in text, (root / "b" / "c.txt").read_text("utf-8")) == (True, True, "new\n")


def test_what_the_template_does_not_give_stays(root: Path, tmp_path: Path) -> None:
    merge_template(root, write(tmp_path / "new", {"a.txt": changed(17, "newer\n")}), "2")
    assert (root / "mine.txt").read_text("utf-8") == "1\n"


def test_the_same_template_changes_nothing(root: Path, tmp_path: Path) -> None:
    before = git(root, "rev-parse", "HEAD")
    assert merge_template(root, write(tmp_path / "new", {"a.txt": "".join(LINES)}), "2") is None
    assert git(root, "rev-parse", "HEAD") == before


def test_a_second_newer_template_is_compared_with_the_first(root: Path, tmp_path: Path) -> None:
    edit(root, "a.txt", changed(2, "mine\n"))
    merge_template(root, write(tmp_path / "second", {"a.txt": changed(17, "second\n")}), "2")
    edit(root, "a.txt", changed(2, "mine\n"))  # what the second brought is taken back
    assert merge_template(root, write(tmp_path / "third", {"a.txt": changed(17, "second\n")}), "3") is None
    assert "second" not in (root / "a.txt").read_text("utf-8")


def test_edits_of_the_same_line_are_told_by_file(root: Path, tmp_path: Path) -> None:
    edit(root, "a.txt", changed(2, "mine\n"))
    with pytest.raises(MergeConflict, match=r"meet in a\.txt: resolve"):
        merge_template(root, write(tmp_path / "new", {"a.txt": changed(2, "theirs\n")}), "2")


def test_changes_that_are_not_committed_are_refused(root: Path, tmp_path: Path) -> None:
    write(root, {"a.txt": "other\n"})
    with pytest.raises(ConfigurationError, match="not committed"):
        merge_template(root, write(tmp_path / "new", {"a.txt": "x\n"}), "2")


def test_a_history_without_a_template_is_refused(tmp_path: Path) -> None:
    root = write(tmp_path / "other", {"a.txt": "1\n"})
    git(root, "init", "-q")
    edit(root, "a.txt", "2\n")
    with pytest.raises(ConfigurationError, match="no commit in the history"):
        merge_template(root, write(tmp_path / "new", {"a.txt": "x\n"}), "2")


def test_a_machine_without_git_is_told_so(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="git cannot be run"):
        git(root, "status")
