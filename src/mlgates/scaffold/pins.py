"""The exact versions that a made project gets: those of the environment that made it, where it was tried."""

import re
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version

from packaging.requirements import Requirement

TRAINING = (
    "mlflow",
    "azureml-mlflow",
    "numpy",
    "pandas",
    "scikit-learn",
    "skops",
    "azureml-ai-monitoring",
    "azureml-inference-server-http",
)
"""What the drafted training code imports, and what serves its model."""
TOOLS = ("pytest",)
"""What the sessions of a made project run; the linter has an environment of its own."""
OURS = ("mlgates", "amlocal")


def training_pins() -> list[str]:
    """Return what the training environment pins."""
    return [f"{name}=={version(name)}" for name in TRAINING]


def lock() -> list[str]:
    """Return a pin for all that mlgates, amlocal, the training code and the tools require, directly or not."""
    found = dict(_closure([*OURS, *TRAINING, *TOOLS]))
    return [f"{name}=={found[name].version}" for name in sorted(found) if name not in OURS]


def python() -> str:
    """Return the Python of this environment, as conda and nox name it."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _closure(roots: Iterable[str]) -> Iterator[tuple[str, Distribution]]:
    """Yield each distribution that is required and installed, with its canonical name."""
    waiting: list[tuple[str, frozenset[str]]] = [(root, frozenset()) for root in roots]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # an optional part, or one of another platform
        yield canonical(name), found
        for line in found.requires or ():
            requirement = Requirement(line)
            if _wanted(requirement, extras):
                waiting.append((canonical(requirement.name), frozenset(requirement.extras)))


def _wanted(requirement: Requirement, extras: frozenset[str]) -> bool:
    if requirement.marker is None:
        return True
    return any(requirement.marker.evaluate({"extra": extra}) for extra in extras or {""})


def canonical(name: str) -> str:
    """Return a distribution's name as indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()
