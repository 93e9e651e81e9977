"""Actions and whole processes, with the time that they take."""

import os
import subprocess
import time
from collections.abc import Callable


def timed(action: Callable[[], object]) -> float:
    """Return the seconds that an action takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def run(*command: str, environ: dict[str, str] | None = None) -> None:
    """Run a program, `environ` over this process's variables. Raises `CalledProcessError`."""
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **(environ or {})})
