"""An environment is built once, under a name that is the same when the same would be built."""

import subprocess
import sys
from pathlib import Path

from tests.unit.amlocal.runtimes.test_build import _left, _make

DIES_WHILE_MAKING = """
import os, sys, threading
from pathlib import Path
from amlocal.runtimes.resolve import make_once
def make(making):
    (making / "half").touch()
    os._exit(9)
make_once(Path(sys.argv[1]), make, log=print, cancelled=threading.Event())
"""


def test_what_a_killed_process_left_does_not_count_and_goes_away(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    killed = subprocess.run([sys.executable, "-c", DIES_WHILE_MAKING, str(folder)], check=False)
    assert killed.returncode == 9
    assert not folder.exists()
    _make(folder)
    assert ([path.name for path in folder.iterdir()], _left(folder)) == (["whole"], ["made", "made.lock"])
