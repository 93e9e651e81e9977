"""The folder of a job that runs: snapshot, inputs, outputs, environment; and the log that stays."""

import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

LOG_NAME = "user_logs/std_log.txt"


@dataclass(frozen=True, slots=True)
class JobFolder:
    """Where one job works."""

    root: Path

    @property
    def work(self) -> Path:
        """The current folder of the command: the code snapshot."""
        return self.root / "work"

    @property
    def inputs(self) -> Path:
        """A folder for each input."""
        return self.root / "inputs"

    @property
    def outputs(self) -> Path:
        """A folder for each named output."""
        return self.root / "outputs"

    @property
    def layer(self) -> Path:
        """The job's own layer over its environment."""
        return self.root / "layer"

    @property
    def log(self) -> Path:
        """What the command prints, and what amlocal has to say."""
        return self.root / LOG_NAME

    def create(self) -> None:
        """Make the folders, empty: what an interrupted start left is removed."""
        self.remove()
        for path in (self.work, self.inputs, self.outputs, self.log.parent):
            path.mkdir(parents=True)
        self.log.touch()

    def say(self, line: str, moment: datetime) -> None:
        """Add a line of amlocal's own to the log; nothing when the folder was not made yet."""
        if not self.log.exists():
            return
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"[amlocal {moment:%H:%M:%S}] {line}\n")

    def tail(self, lines: int = 20) -> str:
        """Return the last lines of the log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def remove(self) -> None:
        """Remove all of it. What a process of the job still writes may stay behind; `create` clears it."""
        for folder, _, _ in os.walk(self.inputs):  # inputs are read-only
            Path(folder).chmod(0o700)
        shutil.rmtree(self.root, ignore_errors=True)
