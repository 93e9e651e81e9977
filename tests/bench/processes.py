"""Actions and whole processes, with the time that they take."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from subprocess import PIPE, STDOUT
from urllib.parse import urlsplit

import psutil

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


def listeners(url: str) -> Iterator[psutil.Process]:
    """Yield the processes that listen at the port of `url`."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it may end, or be somebody else's
            places = process.net_connections("tcp")
            if any(one.status == psutil.CONN_LISTEN and one.laddr.port == urlsplit(url).port for one in places):
                yield process
