"""Git in a test's folder, as nobody's settings have it."""

import subprocess
from pathlib import Path

_SETTINGS = (
    "-c",
    "user.name=a",
    "-c",
    "user.email=a@b",
    "-c",
    "commit.gpgsign=false",
    "-c",
    "protocol.file.allow=always",
)


def git(root: Path, *arguments: str) -> str:
    """Run git in a folder and return what it prints."""
    return subprocess.check_output(["git", "-C", str(root), *_SETTINGS, *arguments], text=True).strip()


def committed(root: Path, *paths: str) -> str:
    """Make a commit of these paths, by default of all; return its name."""
    if not (root / ".git").exists():
        git(root, "init", "--quiet")
    git(root, "add", "--force", "--", *(paths or (".",)))
    git(root, "commit", "--quiet", "--allow-empty", "-m", "a commit")
    return git(root, "rev-parse", "HEAD")
