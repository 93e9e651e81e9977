"""Where a project keeps what it declares, and how its YAML is read: by libyaml where PyYAML was built with it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mlgates.core.errors import ConfigurationError
from mlgates.core.nearest import did_you_mean

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MARK = "config-mlops.yml"


def parse_yaml(text: str | bytes) -> Any:
    """Return what a YAML text says: plain data. Raises `yaml.YAMLError` for anything else."""
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader, C's or Python's


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with `mlops/config-mlops.yml`, and the declared assets beside it."""

    root: Path

    @property
    def mlops(self) -> Path:
        """The folder of everything declared."""
        return self.root / "mlops"

    @property
    def names_file(self) -> Path:
        """The names that all environments share."""
        return self.mlops / _MARK

    @property
    def gates_file(self) -> Path:
        """What must hold at each gate."""
        return self.mlops / "gates.yml"

    @property
    def release_file(self) -> Path:
        """How a version goes into production traffic."""
        return self.mlops / "release.yml"

    @property
    def training_file(self) -> Path:
        """Which function the unit suite for training code tests."""
        return self.mlops / "training.yml"

    @property
    def reports(self) -> Path:
        """The folder that suites, gates and pipelines leave their reports in."""
        return self.root / "reports"

    @property
    def training(self) -> Path:
        """The folder of the assets that training needs: environment, data, job and model."""
        return self.mlops / "continuous-training"

    @property
    def online(self) -> Path:
        """The folder of the online endpoint and its deployment."""
        return self.mlops / "deploy" / "online"

    @property
    def batch(self) -> Path:
        """The folder of the batch endpoint and its deployment."""
        return self.mlops / "deploy" / "batch"

    @property
    def local_state(self) -> Path:
        """Where the local workspaces of this project live."""
        return self.root / ".amlocal"

    def infra_file(self, environment: str) -> Path:
        """Return the file that says which workspace `environment` is; raise `ConfigurationError` for an unknown one."""
        file = self.mlops / f"config-infra-{environment}.yml"
        if not file.is_file():
            known = (path.stem.removeprefix("config-infra-") for path in self.mlops.glob("config-infra-*.yml"))
            raise ConfigurationError(
                f"{self.shown(file)} is not there, so '{environment}' is not an environment of this project. "
                f"{did_you_mean(environment, known)}"
            )
        return file

    def shown(self, file: Path) -> str:
        """Return `file` as it is written from the project's folder."""
        return str(file.relative_to(self.root)) if file.is_relative_to(self.root) else str(file)


def find_project(start: Path) -> Project:
    """Return the project that `start` lies in: the nearest folder upwards that has the mark."""
    for folder in (start, *start.parents):
        if (folder / "mlops" / _MARK).is_file():
            return Project(folder)
    raise ConfigurationError(
        f"no mlops/{_MARK} in {start} or any folder above it: go to the project's folder, or name it with --project"
    )
