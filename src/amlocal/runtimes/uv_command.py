"""Runs uv as a child process: its output goes to a log line by line, and it can be stopped at any moment."""

import contextlib
import os
import re
import selectors
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, cast

from uv import find_uv_bin

from amlocal.core.error_lines import error_line, shortened
from amlocal.runtimes.errors import BuildCancelled, EnvironmentUnsatisfiable
from amlocal.runtimes.runtime import Log, neutral_environ

# How soon a cancelled build stops.
_ATTENTION_S = 0.1
# As much of uv's output as its error is looked for in: a build backend may print a long traceback.
KEPT_LINES = 2000
_FEW = 12  # lines that an error message repeats when uv names none
# At the margin: what a build backend prints is further in, and a compiler has errors of its own.
_ERROR = re.compile(r"error:| {0,2}\u00d7")
_LONGEST = 400  # characters of a backend's error: a compiler's is its whole command
# What begins a line of uv's error: its own older and newer marks.
_MARK = re.compile(r"(?:^|\n)\s*(?:error:|cause:|\u00d7|├─▶|╰─▶|│)\s*")
_OUTPUT = re.compile(r"\s*(?:│\s*)?\[std(?:out|err)\]")


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
    said = OutputTail()
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
                said.add(line)
                log(line)
        except BaseException:
            _kill(process)
            raise
    if process.returncode:
        raise EnvironmentUnsatisfiable(f"{purpose}: {reason(said.lines())}")


class OutputTail:
    """What is kept of uv's output: its end, and where its error begins, however much a build backend prints."""

    def __init__(self) -> None:
        self._end: deque[str] = deque(maxlen=KEPT_LINES)
        self._error: list[str] = []
        self._size = 0  # lines from the error on

    def add(self, line: str) -> None:
        """Take the next line."""
        self._end.append(line)
        if _ERROR.match(line):
            self._error, self._size = [], 0
        elif not self._size:
            return
        self._size += 1
        if len(self._error) < _FEW:
            self._error.append(line)

    def lines(self) -> list[str]:
        """Return what is kept, in order."""
        pushed_out = max(self._size - len(self._end), 0)
        return self._error[:pushed_out] + list(self._end)


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


def reason(said: Sequence[str]) -> str:
    """Return uv's own words from its error on, in one line: what failed, the causes, the error of a build backend."""
    starts = [number for number, line in enumerate(said) if _ERROR.match(line)]
    if not starts:
        return " ".join(" ".join(said[-_FEW:]).split()) or "uv failed without a word"
    lines = [line for line in said[starts[-1] :] if not line.lstrip().startswith("hint:")]
    own = next((number for number, line in enumerate(lines) if not line.strip() or _OUTPUT.match(line)), len(lines))
    causes = _MARK.sub("\n", "\n".join(lines[:own])).replace("\n ", " ").split("\n")
    words = [" ".join(cause.split()).rstrip(":") for cause in causes]
    return ": ".join(word for word in (*words, _backend_error(lines[own:])) if word)


def _backend_error(lines: Sequence[str]) -> str:
    """Return what a build backend that failed printed as its error."""
    heads = [number for number, line in enumerate(lines) if _OUTPUT.match(line)]
    if not heads:
        return ""
    after = lines[heads[-1] + 1 :]
    indent = len(lines[heads[-1]]) - len(lines[heads[-1]].lstrip())
    printed = [line for line in after if line.startswith(" " * indent) or not line.strip()]
    return shortened(error_line(printed), _LONGEST)


def _kill(process: subprocess.Popen[bytes]) -> None:
    # At once and without asking: what was built so far is thrown away, and uv's cache is safe against it.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
