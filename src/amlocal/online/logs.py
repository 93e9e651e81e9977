"""The log of a deployment: what its processes print, and what amlocal has to say about them."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_TAIL_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class DeploymentLog:
    """A file that is only added to."""

    path: Path

    def say(self, line: str, moment: datetime) -> None:
        """Add a line of amlocal's own."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as log:
            log.write(f"[amlocal {moment:%Y-%m-%d %H:%M:%S}] {line}\n".encode(errors="replace"))

    def tail(self, lines: int) -> str:
        """Return the last lines, of at most a megabyte."""
        if not self.path.exists():
            return ""
        with self.path.open("rb") as log:
            log.seek(max(0, log.seek(0, 2) - _TAIL_BYTES))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])
