"""Runs uv as a child process: its output goes to a log line by line, and it can be stopped at any moment."""

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, cast

from uv import find_uv_bin

from amlocal.runtimes.errors import BuildCancelled, EnvironmentUnsatisfiable
from amlocal.runtimes.runtime import Log, neutral_environ

# How soon a cancelled build stops.
_ATTENTION_S = 0.1
# As much of uv's output as an error message repeats; uv explains itself at the end.
_REASON_LINES = 12


def uv_path() -> str:
    """The uv that this package depends on, or else the one on PATH. Raises `EnvironmentUnsatisfiable`."""
    try:
        return find_uv_bin()
    except FileNotFoundError as error:
        if found := shutil.which("uv"):
            return found
        raise EnvironmentUnsatisfiable(f"uv is not to be found, so no environment can be built: {error}") from error


def run_uv(
    arguments: Sequence[str], *, purpose: str, environ: Mapping[str, str], log: Log, cancelled: threading.Event
) -> None:
    """Run uv to its end. Raises `EnvironmentUnsatisfiable` with uv's reason, or `BuildCancelled`.

    `purpose` opens the message, as in `environment train-env:3 cannot be built`.
    """
    tail: deque[str] = deque(maxlen=_REASON_LINES)
    process = subprocess.Popen(  # noqa: S603
        [uv_path(), *arguments, "--no-python-downloads", "--no-progress", "--color=never"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        # uv reads the uv.toml and pyproject.toml of the folder it stands in; those are a project's, not the person's.
        cwd=os.sep,
        env=neutral_environ(environ),
        # A group of its own, so that the build backends that uv starts can be stopped with it.
        start_new_session=True,
    )
    with process:
        try:
            for line in _lines(cast("IO[bytes]", process.stderr), purpose, cancelled):
                tail.append(line)
                log(line)
        except BaseException:
            _kill(process)
            raise
    if process.returncode:
        raise EnvironmentUnsatisfiable(f"{purpose}: {_reason(tail)}")


def _lines(stream: IO[bytes], purpose: str, cancelled: threading.Event) -> Iterator[str]:
    """What uv says, as it says it. Raises `BuildCancelled`."""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        pending = b""
        while not cancelled.is_set():
            if not selector.select(_ATTENTION_S):
                continue
            chunk = os.read(stream.fileno(), 65536)
            *lines, pending = (pending + chunk).split(b"\n")
            yield from (line.decode(errors="replace") for line in lines)
            if not chunk:
                return
    raise BuildCancelled(f"{purpose}: cancelled")


def _reason(tail: Sequence[str]) -> str:
    """uv's own words from its `error:` on, in one line."""
    starts = [number for number, line in enumerate(tail) if line.startswith("error:")]
    lines = list(tail)[starts[-1] if starts else 0 :]
    return " ".join(" ".join(lines).removeprefix("error:").split()) or "uv failed without a word"


def _kill(process: subprocess.Popen[bytes]) -> None:
    # At once and without asking: what was built so far is thrown away, and uv's cache is safe against it.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
