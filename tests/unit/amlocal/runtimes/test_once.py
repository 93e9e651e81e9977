"""A folder is made once and whole, whoever dies on the way."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from amlocal.runtimes.errors import BuildCancelled
from amlocal.runtimes.once import make_once

DIES_WHILE_MAKING = """
import os, sys, threading
from pathlib import Path
from amlocal.runtimes.once import make_once
def make(making):
    (making / "half").touch()
    os._exit(9)
make_once(Path(sys.argv[1]), make, log=print, cancelled=threading.Event())
"""


def _whole(making: Path) -> None:
    (making / "whole").touch()


def _make(folder: Path, cancelled: threading.Event | None = None) -> list[str]:
    log: list[str] = []
    make_once(folder, _whole, log=log.append, cancelled=cancelled or threading.Event())
    return log


def _left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.parent.iterdir())


def test_the_folder_is_filled_and_nothing_else_remains(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "made"
    _make(folder)
    assert ([path.name for path in folder.iterdir()], _left(folder)) == (["whole"], ["made", "made.lock"])


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    _make(folder)
    assert list(folder.iterdir()) == []


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    def fail(making: Path) -> None:
        (making / "half").touch()
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        make_once(tmp_path / "made", fail, log=print, cancelled=threading.Event())
    assert _left(tmp_path / "made") == ["made.lock"]


def test_what_a_killed_process_left_does_not_count_and_goes_away(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    killed = subprocess.run([sys.executable, "-c", DIES_WHILE_MAKING, str(folder)], check=False)
    assert killed.returncode == 9
    assert not folder.exists()
    _make(folder)
    assert ([path.name for path in folder.iterdir()], _left(folder)) == (["whole"], ["made", "made.lock"])


class _Slow:
    """A maker that waits to be released, and counts."""

    def __init__(self) -> None:
        self.started, self.release, self.count = threading.Event(), threading.Event(), 0

    def __call__(self, making: Path) -> None:
        self.count += 1
        self.started.set()
        assert self.release.wait(30)


def test_two_who_ask_at_once_get_one_folder(tmp_path: Path) -> None:
    slow, waiting = _Slow(), threading.Event()
    folder = tmp_path / "made"
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(make_once, folder, slow, log=print, cancelled=threading.Event())
        assert slow.started.wait(30)
        second = pool.submit(make_once, folder, slow, log=lambda _: waiting.set(), cancelled=threading.Event())
        assert waiting.wait(30)
        slow.release.set()
        assert (first.result(30), second.result(30)) == (None, None)
    assert slow.count == 1


def test_who_waits_can_be_cancelled(tmp_path: Path) -> None:
    slow, cancelled = _Slow(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(make_once, tmp_path / "made", slow, log=print, cancelled=threading.Event())
        assert slow.started.wait(30)
        cancelled.set()
        with pytest.raises(BuildCancelled):
            _make(tmp_path / "made", cancelled)
        slow.release.set()
        assert first.result(30) is None
