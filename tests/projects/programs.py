"""Runs programs of this environment in a made project, which has no environment of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent


def run(folder: Path, *command: str, **environ: str) -> str:
    """Run a program of this environment; fail with the end of what it printed."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "NOX"))}
    program = str(BIN / command[0]) if (BIN / command[0]).exists() else command[0]
    done = subprocess.run(
        [program, *command[1:]],
        check=False,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=outer | {"PROJECT_VENV": sys.prefix} | environ,
    )
    if done.returncode:
        pytest.fail(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-6000:]}", pytrace=False)
    return done.stdout
