"""Actions and whole processes, with the time that they take."""

import os
import subprocess
import time
from collections.abc import Callable
from subprocess import PIPE, STDOUT

from tests.bench.figures import MeasureFailed


def timed(action: Callable[[], object]) -> float:
    """Return the seconds that an action takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def run(*command: str, environ: dict[str, str] | None = None) -> None:
    """Run a program, `environ` over this process's variables. Raises `MeasureFailed` when it fails."""
    done = subprocess.run(
        command, check=False, stdout=PIPE, stderr=STDOUT, text=True, env={**os.environ, **(environ or {})}
    )
    if done.returncode:
        raise MeasureFailed(f"'{' '.join(command)}' ended with code {done.returncode}: {done.stdout[-1500:]}")
