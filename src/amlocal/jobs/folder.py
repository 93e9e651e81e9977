"""The folder of a job that runs: snapshot, inputs, outputs, environment, log."""

import contextlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from amlocal.core.context import Clock
from amlocal.core.error_lines import NOTICE, error_line, shortened

LOG_FOLDER = "user_logs"
LOG_NAME = f"{LOG_FOLDER}/std_log.txt"
WriteLog = Callable[[str], None]  # adds a line to a job's log
ARTIFACT_FOLDERS = ("outputs", "logs")  # below the current folder of the command, as Azure ML collects them
_TAIL = 65536  # bytes; a log may be gigabytes, a line in it too
_LONGEST = 2000  # characters of an error


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
        """A file or folder for each named output."""
        return self.root / "outputs"

    @property
    def layer(self) -> Path:
        """The job's own layer over its environment."""
        return self.root / "layer"

    @property
    def logs(self) -> Path:
        """The log, and beside it those of the processes of a distributed job."""
        return self.log.parent

    @property
    def plan(self) -> Path:
        """What the processes of a distributed job are (JSON)."""
        return self.root / "processes.json"

    @property
    def script(self) -> Path:
        """The command of a distributed job, which each of its processes runs."""
        return self.root / "script" / "command.sh"

    @property
    def temporary(self) -> Path:
        """A folder for temporary files, made where the system's cannot be used."""
        return self.root / "tmp"

    @property
    def sandbox_paths(self) -> tuple[Path, ...]:
        """What the command may touch: not the logs, which the server reads and would follow a link in."""
        return (self.work, self.inputs, self.outputs, self.layer, self.temporary, self.script.parent)

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

    def add_artifact_folders(self) -> None:
        """Make `./outputs` and `./logs` beside the code, as Azure ML does; what the snapshot holds there stays."""
        for name in ARTIFACT_FOLDERS:
            if not (self.work / name).exists():
                (self.work / name).mkdir()

    def write_log(self, line: str, moment: datetime) -> None:
        """Add a line of amlocal's own to the log; nothing when the folder was not made yet."""
        if not self.log.exists():
            return
        with self.log.open("a+b") as log:
            unfinished = log.seek(0, os.SEEK_END) and log.seek(-1, os.SEEK_END) >= 0 and log.read() != b"\n"
            start = "\n" if unfinished else ""
            log.write(f"{start}{NOTICE}{moment:%H:%M:%S}] {line}\n".encode(errors="replace"))

    def log_writer(self, clock: Clock) -> WriteLog:
        """Return `write_log` with the time of each line filled in."""
        return lambda line: self.write_log(line, clock())

    def failed_log(self) -> Path:
        """Return the log of the process that failed first, the log itself when the job has one process."""
        named = self.plan.with_name(f"{self.plan.name}.failed")
        return Path(named.read_text(encoding="utf-8")) if named.exists() else self.log

    def error_line(self) -> str:
        """Return the line of a failed command's log that says why, empty when it printed nothing."""
        failed = self.failed_log()
        if not failed.exists():
            return ""
        with failed.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL))
            lines = log.read().decode(errors="replace").splitlines()
        return shortened(error_line(lines), _LONGEST)

    def remove(self) -> None:
        """Remove all of it, what the job made read-only included. What belongs to another user stays behind."""
        with contextlib.suppress(OSError):
            _unlock(self.root)
        shutil.rmtree(self.root, ignore_errors=True)


def _unlock(folder: Path) -> None:
    """Take the right to write and look into a folder and all below it; links are not followed."""
    pending = [folder]
    while pending:
        inside = pending.pop()
        inside.chmod(0o700)
        with os.scandir(inside) as entries:
            pending += [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
