"""How a local workspace is started and stopped: by amlocal's own command, as any user would."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlgates.config.settings import Settings
from mlgates.core.errors import WorkspaceUnavailable

_COMMAND = (sys.executable, "-m", "amlocal")
_NO_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class LocalWorkspace:
    """A workspace of amlocal, in its own folder under `root`."""

    root: Path
    name: str
    resource_group: str
    subscription: str
    command: Sequence[str] = _COMMAND
    timeout_s: float = 60.0

    def start(self) -> Mapping[str, str]:
        """Start it, or find it running; return the environment variables that lead azure-ai-ml to it.

        Raises `WorkspaceUnavailable` with amlocal's own words when it cannot start.
        """
        names = ("--resource-group", self.resource_group, "--subscription", self.subscription)
        self._run("up", "--detach", "--root", str(self.root), "--workspace", self.name, *names)
        answer = self._run("env", "--root", str(self.root), "--workspace", self.name, "--format", "json")
        try:
            return {str(name): str(value) for name, value in json.loads(answer).items()}
        except (ValueError, AttributeError) as error:
            raise WorkspaceUnavailable(f"'amlocal env' did not answer with variables: {answer[:200]!r}") from error

    def stop(self) -> None:
        """Stop it; what it holds stays on disk."""
        self._run("down", "--root", str(self.root), "--workspace", self.name)

    def _run(self, *arguments: str) -> str:
        command = [*self.command, *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter
                command,
                capture_output=True,
                encoding="utf-8",
                errors="backslashreplace",
                env={**os.environ, "PYTHONIOENCODING": "utf-8"},  # whatever this terminal's own encoding is
                timeout=self.timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise WorkspaceUnavailable(
                f"'amlocal {arguments[0]}' has not answered within {error.timeout:.0f} s: see 'amlocal logs'"
            ) from error
        if done.returncode:
            raise WorkspaceUnavailable(f"'amlocal {arguments[0]}' failed: {_last_line(done.stderr or done.stdout)}")
        return done.stdout


def local_workspace(settings: Settings, root: Path | None = None) -> LocalWorkspace:
    """Return the local workspace that stands for `settings`, by default among the project's own under .amlocal."""
    return LocalWorkspace(
        root=root or settings.project.local_state,
        name=settings.aml_workspace_name,
        resource_group=settings.resource_group_name,
        subscription=settings.azure_subscription_id or _NO_SUBSCRIPTION,
    )


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"
