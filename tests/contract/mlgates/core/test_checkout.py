"""The commit that something is started from: git's own word where it gives one, and no word where it gives none."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mlgates.core.checkout import source_or_unknown, source_state
from mlgates.core.errors import NoCheckout, SourceUnknown
from mlgates.core.values import SourceState
from tests.contract.mlgates.git_folder import committed, git


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    (root / "src").mkdir(parents=True)
    (root / "src" / "a.py").write_text("one")
    (root / ".gitignore").write_text("*.log\n")
    committed(root)
    return root


def test_a_clean_checkout_is_its_commit(checkout: Path) -> None:
    (checkout / "src" / "ignored.log").write_text("what .gitignore names is no change")
    assert source_state(checkout, {}) == SourceState(git(checkout, "rev-parse", "HEAD"), dirty=False)


def change(checkout: Path) -> None:
    (checkout / "src" / "a.py").write_text("two")


def flagged(flag: str) -> Callable[[Path], None]:
    def hide(checkout: Path) -> None:
        change(checkout)
        git(checkout, "update-index", flag, "src/a.py")

    return hide


def add(checkout: Path) -> None:
    (checkout / "src" / "new.py").write_text("new")


def add_excluded(checkout: Path) -> None:
    add(checkout)
    (checkout / ".git" / "info" / "exclude").write_text("new.py\n")


def watched(checkout: Path) -> None:
    """A file system monitor that tells of no change."""
    monitor = checkout.parent / "monitor"
    monitor.write_text("#!/bin/sh\nprintf 'token\\0'\n")
    monitor.chmod(0o755)
    git(checkout, "config", "core.fsmonitor", str(monitor))
    git(checkout, "status")
    change(checkout)


def sparse(checkout: Path) -> None:
    git(checkout, "sparse-checkout", "set", "--no-cone", "/.gitignore")
    assert not (checkout / "src").exists()


@pytest.mark.parametrize(
    ("make_dirty", "changes"),
    [
        (change, ("src/a.py",)),
        (flagged("--assume-unchanged"), ("src/a.py",)),
        (flagged("--skip-worktree"), ("src/a.py",)),
        (add, ("src/new.py",)),
        (add_excluded, ("src/new.py",)),
        (watched, ("src/a.py",)),
        (sparse, ("src/a.py",)),
        (lambda checkout: (checkout / "src" / "a.py").unlink(), ("src/a.py",)),
        (lambda checkout: (checkout / "src" / "a.py").chmod(0o755), ("src/a.py",)),
        (lambda checkout: git(checkout, "rm", "--cached", "src/a.py"), ()),
    ],
    ids=[
        "changed", "assume-unchanged", "skip-worktree", "new", "excluded", "fsmonitor", "sparse", "gone", "mode",
        "index alone",
    ],
)  # fmt: skip
def test_what_lies_there_is_compared_with_the_commit_itself(
    checkout: Path, make_dirty: Callable[[Path], object], changes: tuple[str, ...]
) -> None:
    make_dirty(checkout)
    state = source_state(checkout, {})
    assert (state.dirty, state.changes) == (bool(changes), changes)


def test_looking_changes_nothing(checkout: Path) -> None:
    flagged("--assume-unchanged")(checkout)
    before = (checkout / ".git" / "index").read_bytes()
    source_state(checkout, {})
    assert (checkout / ".git" / "index").read_bytes() == before


@pytest.mark.parametrize(
    "name", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_CEILING_DIRECTORIES"]
)
def test_no_variable_leads_git_elsewhere(checkout: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    state = source_state(checkout / "src", {})
    monkeypatch.setenv(name, str(checkout.parent))
    assert source_state(checkout / "src", {}) == state


def test_a_replaced_commit_is_not_taken_for_the_real_one(checkout: Path) -> None:
    first = git(checkout, "rev-parse", "HEAD")
    change(checkout)
    git(checkout, "replace", first, committed(checkout))
    git(checkout, "update-ref", "HEAD", first)
    assert source_state(checkout, {}).changes == ("src/a.py",)


def test_a_shallow_clone_is_its_commit(checkout: Path) -> None:
    change(checkout)
    commit = committed(checkout)
    git(checkout.parent, "clone", "--quiet", "--depth", "1", f"file://{checkout}", "shallow")
    assert source_state(checkout.parent / "shallow", {}) == SourceState(commit, dirty=False)


def test_a_folder_of_another_owner_is_refused_with_gits_reason(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    for given in ({}, {"AZUREML_GIT_COMMIT": git(checkout, "-c", "safe.directory=*", "rev-parse", "HEAD")}):
        with pytest.raises(SourceUnknown, match=r"dubious ownership .* safe\.directory"):
            source_or_unknown(checkout, given)


def test_a_folder_that_the_settings_call_safe_is_its_commit(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    settings = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    for name, value in ({"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"} | settings).items():
        monkeypatch.setenv(name, value)
    assert source_state(checkout, {}).commit == commit


def test_without_a_commit_there_is_no_state(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    with pytest.raises(SourceUnknown, match="has no commit yet"):
        source_or_unknown(tmp_path, {})


def test_the_commit_of_a_checkout_around_the_folder_is_not_the_folders_own(checkout: Path) -> None:
    (checkout / "unpacked").mkdir()
    with pytest.raises(NoCheckout, match="holds nothing of it"):
        source_state(checkout / "unpacked", {})


def test_without_a_checkout_only_what_decides_nothing_goes_on(tmp_path: Path) -> None:
    with pytest.raises(NoCheckout, match="not a git repository"):
        source_state(tmp_path, {})
    assert source_or_unknown(tmp_path, {}) == SourceState("unknown", dirty=False)


def test_without_git_the_commit_is_unknown(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(NoCheckout, match="git cannot be run"):
        source_state(checkout, {})


def test_a_build_may_name_its_commit(tmp_path: Path) -> None:
    given = {"AZUREML_GIT_COMMIT": "c0ffee", "AZUREML_GIT_DIRTY": "True"}
    assert source_state(tmp_path, given) == SourceState("c0ffee", dirty=True)


@pytest.mark.parametrize("given", ["unknown", "HEAD", "main", "0" * 65])
def test_what_is_given_must_be_a_commit(tmp_path: Path, given: str) -> None:
    with pytest.raises(SourceUnknown, match="which is no commit"):
        source_or_unknown(tmp_path, {"AZUREML_GIT_COMMIT": given})


@pytest.mark.parametrize("given", [{"AZUREML_GIT_COMMIT": ""}, {"AZUREML_GIT_COMMIT": " "}])
def test_nothing_is_said_by_a_blank_variable(checkout: Path, given: Mapping[str, str]) -> None:
    assert source_state(checkout, given).commit == git(checkout, "rev-parse", "HEAD")


def test_what_is_given_must_agree_with_git(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    assert source_state(checkout, {"AZUREML_GIT_COMMIT": commit, "AZUREML_GIT_DIRTY": "1"}).dirty
    with pytest.raises(SourceUnknown, match=f"tells of commit c0ffee, .* is at {commit[:12]}"):
        source_state(checkout, {"AZUREML_GIT_COMMIT": "c0ffee"})


def test_a_submodule_is_looked_at_for_itself(checkout: Path) -> None:
    module = checkout.parent / "module"
    module.mkdir()
    (module / "b.py").write_text("one")
    committed(module)
    git(checkout, "submodule", "--quiet", "add", str(module), "src/module")
    committed(checkout)
    assert source_state(checkout, {}).changes == ()
    inner = checkout / "src" / "module"
    (inner / "b.py").write_text("two")
    git(inner, "update-index", "--assume-unchanged", "b.py")
    git(checkout, "config", "submodule.src/module.ignore", "all")
    assert source_state(checkout, {}).changes == ("src/module/b.py",)
    git(inner, "commit", "--quiet", "--allow-empty", "-m", "further")
    assert source_state(checkout, {}).changes == ("src/module", "src/module/b.py")
