"""A disk that takes no more, met anywhere in a start: one line with the path, no traceback, nothing left running."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

AMLOCAL = [sys.executable, "-m", "amlocal"]


def up(root: Path, limit: int | None = None, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of amlocal whose processes may write files of `limit` bytes at most."""

    def bound() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [*AMLOCAL, *(command or ("up", "--detach")), "--root", str(root)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=bound,
        timeout=120,
    )


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "root"
    up(tmp_path / "root", None, "down", "--all")


# Bytes: the names, the certificates, the database's tables.
@pytest.mark.parametrize("limit", [0, 3000, 40_000])
def test_a_start_that_cannot_write_names_the_path(root: Path, limit: int) -> None:
    found = up(root, limit)
    assert found.returncode == 1
    assert found.stderr.count("\n") == 1, found.stderr
    assert found.stderr.startswith("amlocal: ")
    assert str(root) in found.stderr
    assert "Traceback" not in found.stderr


def test_with_room_again_it_starts_where_it_stood(root: Path) -> None:
    assert [up(root, limit).returncode for limit in (40_000, None)] == [1, 0]


def test_a_folder_that_takes_no_writing_is_named(tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    shut.mkdir()
    if os.geteuid() != 0:
        shut.chmod(0o500)
    elif subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", str(shut)], check=False).returncode:
        pytest.skip("root writes where modes forbid it, and may mount nothing read-only here")
    try:
        for command in (("up",), ("up", "--detach"), ("exec",)):
            words = (*command, "true") if command == ("exec",) else command
            found = up(shut / "root", None, *words)
            assert (found.returncode, found.stderr.count("\n")) == (1, 1), found.stderr
            assert f"{shut}/root" in found.stderr
            assert "Read-only" in found.stderr or "Permission denied" in found.stderr
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", str(shut)], check=True)
        else:
            shut.chmod(0o700)
