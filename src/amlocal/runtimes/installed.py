"""Whether what a recipe requires is already there."""

import json
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from amlocal.runtimes.recipe import Recipe


def unmet(recipe: Recipe, site_packages: Iterable[Path]) -> list[str]:
    """What the packages in these folders do not meet, each with what is there instead; empty when all holds.

    The folders must be the running interpreter's: markers are evaluated for it.
    """
    path = [str(folder) for folder in site_packages]
    lacking = [reason for text in recipe.requirements for reason in _unmet_text(text, path)]
    return lacking + [reason for text in recipe.constraints for reason in _unmet_text(text, path, optional=True)]


def _unmet_text(text: str, path: list[str], *, optional: bool = False) -> Iterator[str]:
    """`optional`: it binds only if the package is there."""
    try:
        requirement = Requirement(text.partition(" --")[0])
    except InvalidRequirement:
        yield f"{text} (not a release of the index)"
        return
    if optional and _find(requirement.name, path) is None:
        return
    yield from _unmet(requirement, "", path, set())


def _unmet(requirement: Requirement, extra: str, path: list[str], seen: set[str]) -> Iterator[str]:
    """`extra` is the extra of the package that requires it; `seen` ends circles such as `x[all]` needing `x[all]`."""
    if str(requirement) in seen or not _applies(requirement, extra):
        return
    seen.add(str(requirement))
    found = _find(requirement.name, path)
    if requirement.url:
        yield f"{requirement} (not a release of the index)"
    elif found is None:
        yield f"{requirement} (not installed)"
    elif not requirement.specifier.contains(found.version, prereleases=True):
        yield f"{requirement} (installed: {found.version})"
    else:
        yield from _unmet_extras(requirement.extras, found, path, seen)


def _unmet_extras(extras: Iterable[str], found: Distribution, path: list[str], seen: set[str]) -> Iterator[str]:
    for extra in sorted(extras):
        for text in found.requires or ():
            dependency = Requirement(text)
            # What the package needs without the extra came with it when it was installed.
            if not _applies(dependency, ""):
                yield from _unmet(dependency, extra, path, seen)


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _find(name: str, path: list[str]) -> Distribution | None:
    """The distribution that an import would find, without editable ones: their code is not where a job looks."""
    return next((found for found in distributions(name=name, path=path) if not _is_editable(found)), None)


def _is_editable(distribution: Distribution) -> bool:
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    return bool(origin.get("dir_info", {}).get("editable"))
