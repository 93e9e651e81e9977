"""Which programs are kept apart from the workspace's files, and by what means this machine has for it."""

import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from amlocal.core.paths import Folder
from amlocal.jobs.sandbox import LANDLOCK, NOTHING

_SANDBOX = (sys.executable, "-I", "-S", str(Path(__file__).with_name("sandbox.py")))
_TRIAL_S = 20.0


@functools.cache
def means() -> str:
    """Return by which means a program is confined here, `NOTHING` where there is none: found by trying it once."""
    with tempfile.TemporaryDirectory(prefix="amlocal-") as folder:
        command = [*_SANDBOX, f"--hide={folder}", "--"]
        try:
            tried = subprocess.run(command, capture_output=True, text=True, timeout=_TRIAL_S, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired):
            return NOTHING
    return tried.stdout.strip() or NOTHING


def warning() -> str | None:
    """Return what people should know where nothing keeps programs apart, None where something does."""
    if means() != NOTHING:
        return None
    return (
        "jobs and deployments can read this workspace's own files: the system has neither mount namespaces for this "
        "user nor Landlock (Linux 5.19 and later) to keep them apart (docs/defended.md)"
    )


@dataclass(frozen=True, slots=True)
class Confinement:
    """What a program sees of the workspaces on this machine: the environments, the authority's certificates, `own`."""

    folder: Folder
    own: tuple[Path, ...]

    def wrap(self, command: Sequence[str]) -> tuple[str, ...]:
        """Return the command that confines itself and becomes `command`; `command` where there is no means to."""
        if means() == NOTHING:
            return tuple(command)
        allowed = [path for path in (self.folder.environments, self.folder.bundle, *self.own) if path.exists()]
        options = [f"--hide={path}" for path in self._workspaces()] + [f"--allow={path}" for path in allowed]
        return (*_SANDBOX, f"--means={means()}", *options, "--", *command)

    def environ(self, temporary: Path) -> dict[str, str]:
        """Return variables that a confined program needs. `temporary` is made where the system's folder is no use.

        That is so when a workspace is somewhere in it, and the means cannot tell one from the other.
        """
        usual = Path(tempfile.gettempdir()).resolve()
        if means() != LANDLOCK or not any(path.is_relative_to(usual) for path in self._workspaces()):
            return {}
        temporary.mkdir(exist_ok=True)
        return {"TMPDIR": str(temporary)}

    def _workspaces(self) -> list[Path]:
        """Return this workspace's folder and those beside it."""
        beside = {path.parent for path in self.folder.root.parent.glob("*/identity.json")}
        return sorted(Path(os.path.realpath(path)) for path in {self.folder.root, *beside})
