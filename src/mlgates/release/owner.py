"""Who works on an endpoint: told to whoever finds it locked, and known again when the work is taken up after a kill."""

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

# Both are kept when a failed run, or one of its stages, is started again.
_RUNS = {"GITHUB_RUN_ID": "GitHub run", "BUILD_BUILDID": "Azure DevOps run"}


@dataclass(frozen=True, slots=True)
class Owner:
    """A process that releases."""

    name: str
    """A person on a machine, or the run of a pipeline."""
    host: str
    process: int
    is_run: bool = False

    @classmethod
    def here(cls, environ: Mapping[str, str]) -> Self:
        """Return this process."""
        run = next((f"{told} {environ[name]}" for name, told in _RUNS.items() if environ.get(name)), None)
        host = socket.gethostname()
        return cls(run or f"{_user(environ)}@{host}", host, os.getpid(), is_run=run is not None)

    def to_facts(self) -> dict[str, str]:
        """Return what a lock keeps of it."""
        return {"owner": self.name, "host": self.host, "process": str(self.process)}

    def may_take_over(self, facts: Mapping[str, str]) -> bool:
        """Tell whether the owner in `facts` is this one, or one that is known to be dead."""
        if facts.get("host") == self.host:
            process = int(facts.get("process", "0"))
            return process == self.process or not _is_alive(process)
        # The next attempt of a pipeline's run, maybe on another agent: there is never more than one at a time.
        return self.is_run and facts.get("owner") == self.name


def _user(environ: Mapping[str, str]) -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without an entry in the password database
        return environ.get("USER", "unknown")


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
