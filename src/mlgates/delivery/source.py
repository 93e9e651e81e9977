"""Which source a run is started from: asked of git, or told by the build that has no checkout."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from mlgates.core.values import SourceState

# The names that azure-ai-ml itself reads for the run's own git properties.
_COMMIT, _DIRTY = "AZUREML_GIT_COMMIT", "AZUREML_GIT_DIRTY"
UNKNOWN = "unknown"


def source_state(root: Path, environ: Mapping[str, str]) -> SourceState:
    """Return the state of the checkout at `root`; `AZUREML_GIT_COMMIT` and `AZUREML_GIT_DIRTY` win over git."""
    if told := environ.get(_COMMIT):
        return SourceState(told, dirty=environ.get(_DIRTY, "").lower() in {"1", "true"})
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return SourceState(UNKNOWN, dirty=False)
    return SourceState(commit, dirty=bool(_git(root, "status", "--porcelain")))


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607 - git from PATH
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
