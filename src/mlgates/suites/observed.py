"""What code reaches for that a job may not have: files of this machine, the network, modules outside the snapshot.

Python tells of each file and connection by its audit events. This module needs nothing but the standard library, so
that its file can stand as `sitecustomize.py` before any program that a job's command starts.
"""

import atexit
import json
import os
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

RECORD = "MLGATES_OBSERVED"
"""The variable that names the folder in which a program leaves what it reached for."""
_SYSTEM = ("/usr", "/etc", "/proc", "/sys", "/dev", "/lib", "/lib64", "/bin", "/var/lib")
_CONNECTS = {"socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname"}


class NetworkRefused(OSError):
    """Code under test reached for the network."""


class Observer:
    """Notes, while it is active, what is opened and connected to."""

    def __init__(self) -> None:
        self.active = False
        self.relative: list[str] = []
        self.absolute: list[str] = []
        self.network: list[str] = []
        self.failed = ""
        """How the code failed, when it did."""
        self._allowed: tuple[str, ...] = ()

    def begin(self, *allowed: str) -> None:
        """Note from now on; files below the folders `allowed` are the code's own."""
        self.relative, self.absolute, self.network, self.failed = [], [], [], ""
        self._allowed = tuple(os.path.realpath(each) for each in (*_installed(), *_SYSTEM, *_caches(), *allowed))
        self.active = True

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take an audit event."""
        if not self.active:
            return
        if event == "open":
            self._opened(arguments[0])
        elif event in _CONNECTS:
            self._connected(event, arguments)

    def _opened(self, path: Any) -> None:
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str) or path.endswith((".py", ".pyc")) or not path:
            return
        self.active = False  # what is looked up here is not the code's doing
        try:
            if not os.path.isabs(path):  # noqa: PTH117 - of any text, and quickly
                self.relative.append(path)
            elif not _below(path, self._allowed):
                self.absolute.append(path)
        finally:
            self.active = True

    def _connected(self, event: str, arguments: tuple[Any, ...]) -> None:
        address = arguments[0] if event in {"socket.getaddrinfo", "socket.gethostbyname"} else arguments[-1]
        if isinstance(address, bytes) or (isinstance(address, str) and event == "socket.connect"):
            return  # a socket of this machine, by its file
        self.network.append(str(address))
        raise NetworkRefused(f"training code reached for the network: {address}")


def _below(path: str, folders: tuple[str, ...]) -> bool:
    real = os.path.realpath(path)
    return any(real == folder or real.startswith(folder + os.sep) for folder in folders)


def _installed() -> list[str]:
    paths = sysconfig.get_paths()
    return [sys.prefix, sys.base_prefix, paths["stdlib"], paths["purelib"], paths["platlib"]]


def _caches() -> list[str]:
    home = os.path.expanduser("~")  # noqa: PTH111 - this file imports little
    return [os.path.join(home, name) for name in (".cache", ".config", ".matplotlib")]  # noqa: PTH118


OBSERVER = Observer()
_hooked: list[bool] = []


def hook() -> None:
    """Have Python tell the observer of its events; it cannot be told to stop, so it is told once."""
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(OBSERVER)


@contextmanager
def observed(*allowed: str) -> Iterator[Observer]:
    """Observe what is done within, in a temporary and a working folder of its own."""
    hook()
    before, temporary = os.getcwd(), tempfile.tempdir  # noqa: PTH109
    with tempfile.TemporaryDirectory() as scratch:
        place, work = os.path.join(scratch, "tmp"), os.path.join(scratch, "work")  # noqa: PTH118
        for each in (place, work):
            os.mkdir(each)  # noqa: PTH102
        tempfile.tempdir = place
        os.chdir(work)
        OBSERVER.begin(place, *allowed)
        try:
            yield OBSERVER
        finally:
            OBSERVER.active = False
            os.chdir(before)
            tempfile.tempdir = temporary
            OBSERVER.relative += [f"{each} (left there)" for each in os.listdir(work)]  # noqa: PTH208


def foreign_modules(snapshot: str) -> list[str]:
    """Return the files of modules that are neither of the snapshot nor installed."""
    own = tuple(os.path.realpath(each) for each in (snapshot, *_installed(), __file__))
    found = {str(getattr(each, "__file__", None) or "") for each in list(sys.modules.values())}
    return sorted(each for each in found if each.endswith((".py", ".so", ".pyc")) and not _below(each, own))


def leave_record(folder: str, snapshot: str) -> None:
    """Write what this program reached for."""
    OBSERVER.active = False
    found = {
        "absolute": OBSERVER.absolute,
        "network": OBSERVER.network,
        "modules": foreign_modules(snapshot),
    }
    Path(folder, f"{os.getpid()}.json").write_text(json.dumps(found), encoding="utf-8")


def _stand_before(folder: str) -> None:
    """Observe this program from its beginning to its end."""
    snapshot = os.environ[f"{RECORD}_SNAPSHOT"]
    sys.addaudithook(OBSERVER)
    OBSERVER.begin(*os.environ[f"{RECORD}_ALLOWED"].split(os.pathsep))
    atexit.register(leave_record, folder, snapshot)


if __name__ == "sitecustomize" and os.environ.get(RECORD):
    _stand_before(os.environ[RECORD])
