"""The logs of a deployment: what its processes print and amlocal has to say about them, and what it was made from."""

import contextlib
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

LIMIT_BYTES = 16 * 2**20
"""A log keeps between this and twice as much: a script may print for ever, and must fill no disk."""

_TAIL_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class DeploymentLog:
    """A file that is only added to, and the one before it, which is dropped when this one is full."""

    path: Path

    def add(self, content: bytes) -> None:
        """Add what a process printed. On a full disk it is lost: the deployment is worth more than its log."""
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as log:
                log.write(content)
                full = log.tell() >= LIMIT_BYTES
            if full:
                self.path.replace(self._older)

    def say(self, line: str, moment: datetime) -> None:
        """Add a line of amlocal's own."""
        self.add(f"[amlocal {moment:%Y-%m-%d %H:%M:%S}] {line}\n".encode(errors="replace"))

    def tail(self, lines: int) -> str:
        """Return the last lines, of at most a megabyte."""
        found = _end(self.path, _TAIL_BYTES)
        if len(found) < _TAIL_BYTES:
            found = _end(self._older, _TAIL_BYTES - len(found)) + found
        return "\n".join(found.decode(errors="replace").splitlines()[-lines:] if lines else [])

    def remove(self) -> None:
        """Remove it."""
        for path in (self.path, self._older):
            path.unlink(missing_ok=True)

    @property
    def _older(self) -> Path:
        return self.path.with_suffix(".older.txt")


def _end(path: Path, size: int) -> bytes:
    """Return the last bytes of a file, none when it is not there."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - size))
            return file.read(size)
    except FileNotFoundError:
        return b""
