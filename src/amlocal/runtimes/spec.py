"""What an Azure ML environment version says, as values."""

import re
from dataclasses import dataclass
from pathlib import Path

from amlocal.runtimes.definitions.conda import CondaFile

# A curated environment lives in Microsoft's registry, not in the workspace: its image is known by name only.
_CURATED = re.compile(r"AzureML-|azureml://registries/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class BuildContext:
    """A Docker build context on disk; `dockerfile` is a path inside `folder`."""

    folder: Path
    dockerfile: str = "Dockerfile"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSpec:
    """One environment version. `name` may be a curated name or a registry URI."""

    name: str
    version: str = ""
    image: str | None = None
    conda_file: CondaFile | None = None
    build: BuildContext | None = None

    @property
    def is_curated(self) -> bool:
        """Whether the environment is one that Microsoft (or another registry) publishes."""
        return _CURATED.match(self.name) is not None

    @property
    def label(self) -> str:
        """How messages name it: `train-env:3`."""
        return f"{self.name}:{self.version}" if self.version else self.name
