"""The git repository of a made project, and a newer template merged into it by git, edits kept.

A commit that holds what the template gave carries a trailer. The next template is committed on top of the last such
commit, and merged: git then sees what the template changed, and what people did.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from mlgates.core.errors import ConfigurationError

TRAILER = "Mlgates-Template"
_NOBODY = {"user.name": "mlgates init", "user.email": "mlgates@localhost"}
"""Who commits where git does not know the person."""
_COMMITTING = frozenset({"commit", "commit-tree", "merge"})
_MISLEADING = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"})


class MergeConflict(ConfigurationError):
    """A newer template and people's edits change the same lines."""


def git(root: Path, *arguments: str, index: Path | None = None) -> str:
    """Run git in `root` and return what it prints. Raises `ConfigurationError` with git's own words."""
    who = _who(root) if arguments[0] in _COMMITTING else ()
    done = _run(root, *who, *arguments, index=index)
    if done.returncode:
        raise ConfigurationError(f"git {arguments[0]} in {root}: {' '.join((done.stderr or done.stdout).split())}")
    return done.stdout


def _run(root: Path, *arguments: str, index: Path | None = None) -> "subprocess.CompletedProcess[str]":
    environ = {name: value for name, value in os.environ.items() if name not in _MISLEADING}
    environ |= {"LC_ALL": "C"} | ({"GIT_INDEX_FILE": str(index)} if index else {})
    command = ["git", "-C", str(root), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environ)  # noqa: S603 - from PATH
    except OSError as error:
        raise ConfigurationError(f"git cannot be run ({error.strerror}): a project is a git repository") from error


def _who(root: Path) -> Iterable[str]:
    unknown = {key: value for key, value in _NOBODY.items() if _run(root, "config", key).returncode}
    return [word for key, value in unknown.items() for word in ("-c", f"{key}={value}")]


def begin(root: Path, release: str) -> None:
    """Make `root` a repository whose first commit is what the template gave."""
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--no-verify", "-m", _message("Make the project with mlgates init", release))


def merge_template(root: Path, rendered: Path, release: str) -> str | None:
    """Merge what a newer template gives; return what was done, None when it gives what the last one gave.

    Raises `ConfigurationError` when there are changes that are not committed, or no commit of a template;
    `MergeConflict` with the files where edits and template meet.
    """
    if git(root, "status", "--porcelain", "--untracked-files=no"):
        raise ConfigurationError(f"{root} has changes that are not committed: commit or stash them first")
    base = git(root, "log", "-1", "--format=%H", f"--grep=^{TRAILER}: ").strip()
    if not base:
        raise ConfigurationError(
            f"no commit in the history of {root} has the trailer '{TRAILER}', by which the last template is found"
        )
    tree = _tree(root, base, rendered)
    if tree == git(root, "rev-parse", f"{base}^{{tree}}").strip():
        return None
    commit = git(root, "commit-tree", tree, "-p", base, "-m", _message("Render the newer template", release)).strip()
    try:
        return git(root, "merge", "--no-edit", "-m", f"Merge the template of mlgates {release}", commit)
    except ConfigurationError:
        files = git(root, "diff", "--name-only", "--diff-filter=U").split()
        if not files:
            raise
        raise MergeConflict(
            f"the newer template and your edits meet in {', '.join(files)}: resolve them, 'git add' and 'git commit'; "
            "'git merge --abort' leaves all as it was"
        ) from None


def _tree(root: Path, base: str, rendered: Path) -> str:
    """Return the tree of `base` with what is rendered laid over it."""
    with tempfile.TemporaryDirectory() as scratch:
        index = Path(scratch) / "index"
        git(root, "read-tree", base, index=index)
        git(root, "--work-tree", str(rendered), "add", "--all", "--force", "--ignore-removal", ".", index=index)
        return git(root, "write-tree", index=index).strip()


def _message(subject: str, release: str) -> str:
    return f"{subject}\n\n{TRAILER}: {release}"
