"""Makes a folder once, however many ask for it at the same time and wherever one of them dies."""

import fcntl
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from amlocal.runtimes.errors import BuildCancelled
from amlocal.runtimes.runtime import Log

# How soon someone who waits sees that the lock is free, or that they were cancelled.
_ATTENTION_S = 0.05


def make_once(folder: Path, make: Callable[[Path], None], *, log: Log, cancelled: threading.Event) -> None:
    """Unless `folder` exists, have `make` fill an empty folder beside it and rename that to `folder`.

    So `folder` is there whole or not at all. Raises `BuildCancelled` while waiting for another who makes it.
    """
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.with_name(f"{folder.name}.lock"), log, cancelled):
        if folder.exists():
            return
        for leftover in folder.parent.glob(f"{folder.name}.making-*"):
            # Of a process that was killed. What it may have left running can still write here: no reason to fail.
            shutil.rmtree(leftover, ignore_errors=True)
        making = Path(tempfile.mkdtemp(prefix=f"{folder.name}.making-", dir=folder.parent))
        try:
            make(making)
            making.rename(folder)
        finally:
            shutil.rmtree(making, ignore_errors=True)


@contextmanager
def _locked(path: Path, log: Log, cancelled: threading.Event) -> Iterator[None]:
    """Hold the file's lock, which the system takes back from a process that dies."""
    with path.open("w") as file:
        if not _try_lock(file.fileno()):
            log("Another job is making this environment; waiting for it")
            while not _try_lock(file.fileno()):
                if cancelled.wait(_ATTENTION_S):
                    raise BuildCancelled("cancelled while another job was making the environment")
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
