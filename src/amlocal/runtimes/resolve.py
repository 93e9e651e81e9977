"""Decides which Python environment an Azure ML environment is on this machine."""

import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from amlocal.runtimes.build import build
from amlocal.runtimes.definitions.conda import CondaFile, conda_requirements
from amlocal.runtimes.definitions.dockerfile import BuildContext, dockerfile_requirements
from amlocal.runtimes.interpreters import choose, current_interpreter, installed_interpreters
from amlocal.runtimes.requirements import PackageRequirements, unmet
from amlocal.runtimes.runtime import Log, Runtime, current_runtime

# A curated environment lives in Microsoft's registry, not in the workspace: its image is known by name only.
_CURATED = re.compile(r"AzureML-|azureml://registries/", re.IGNORECASE)


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


def resolve(
    spec: EnvironmentSpec,
    *,
    cache: Path,
    strict: bool,
    log: Log,
    cancelled: threading.Event,
    environ: Mapping[str, str] = os.environ,
) -> Runtime:
    """The Python environment for `spec`: the current interpreter where it will do, else one that uv builds once.

    `strict` refuses a Python version that is not installed, where otherwise the nearest serves. `environ` is what uv
    runs with, so a private index is found as the person set it. It blocks; setting `cancelled` from another thread
    ends it. Raises `InvalidDefinition`, `EnvironmentUnsatisfiable`, `BuildCancelled`; `OSError` when the disk is full.
    """
    current = current_runtime()
    if spec.is_curated:
        log(f"{spec.label} is a curated environment, whose image is not here. {_running_on(current)}")
        return current
    required = _requirements_of(spec)
    for note in required.notes:
        log(note)
    if required.is_empty:
        log(f"{spec.label} names no Python packages beyond its image {spec.image or ''}. {_running_on(current)}")
        return current
    here = current_interpreter(current)
    interpreter = choose(required.python, here, lambda: installed_interpreters(environ), strict=strict, log=log)
    if interpreter == here:
        lacking = unmet(required, current.site_packages)
        if not lacking:
            log(f"{spec.label}: everything it requires is in {current.description}")
            return current
        log(f"{spec.label} asks for what {current.description} does not have: {'; '.join(lacking)}")
    return build(required, interpreter, cache=cache, label=spec.label, environ=environ, log=log, cancelled=cancelled)


def _requirements_of(spec: EnvironmentSpec) -> PackageRequirements:
    required = PackageRequirements()
    if spec.conda_file is not None:
        required += conda_requirements(spec.conda_file)
    if spec.build is not None:
        required += dockerfile_requirements(spec.build)
    return required


def _running_on(current: Runtime) -> str:
    return f"Running on {current.description}; packages that only the image has are not available"
