import subprocess
from pathlib import Path

import pytest

from mlgates.core.values import SourceState
from mlgates.delivery.source import source_state


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    return subprocess.check_output(["git", "-C", str(root), *identity, *arguments], text=True).strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "a.txt").write_text("one")
    git(tmp_path, "add", "a.txt")
    git(tmp_path, "commit", "--quiet", "-m", "one")
    return tmp_path


def test_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    assert source_state(checkout, {}) == SourceState(git(checkout, "rev-parse", "HEAD"), dirty=False)


@pytest.mark.parametrize("file", ["a.txt", "new.txt"])
def test_changed_and_new_files_make_it_dirty(checkout: Path, file: str) -> None:
    (checkout / file).write_text("two")
    assert source_state(checkout, {}).dirty


def test_without_a_checkout_the_commit_is_unknown(tmp_path: Path) -> None:
    assert source_state(tmp_path, {}) == SourceState("unknown", dirty=False)


def test_without_git_the_commit_is_unknown(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert source_state(checkout, {}).commit == "unknown"


def test_a_build_may_tell_its_commit(tmp_path: Path) -> None:
    told = {"AZUREML_GIT_COMMIT": "c0ffee", "AZUREML_GIT_DIRTY": "True"}
    assert source_state(tmp_path, told) == SourceState("c0ffee", dirty=True)
