"""A Python environment: what is asked of one, whether it is there, and the variables that put a program into it."""

import json
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

from amlocal.runtimes import probe
from amlocal.runtimes.errors import EnvironmentUnsatisfiable

Log = Callable[[str], None]
"""Takes whole lines, without their end."""

_PROBE = "import json, runpy, sys; print(json.dumps(runpy.run_path(sys.argv[1])['facts']()))"

# Each would bring in foreign packages, or send an install to a place outside the environment.
_ELSEWHERE = """
VIRTUAL_ENV CONDA_PREFIX CONDA_DEFAULT_ENV PYTHONPATH PYTHONHOME PYTHONUSERBASE __PYVENV_LAUNCHER__
PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT PIP_PYTHON UV_PYTHON UV_SYSTEM_PYTHON UV_TARGET UV_PREFIX UV_PROJECT_ENVIRONMENT
"""


@dataclass(frozen=True, slots=True)
class PackageRequirements:
    """Requirements in pip's language. Two of them add up to one that asks for both.

    `python`: versions that will do; None when nothing was said.
    `requirements`: PEP 508 requirements, URLs, or absolute paths of folders and archives; a `--hash` may follow.
    `constraints`: PEP 508 requirements that bind only what is installed anyway.
    `options`: lines of a requirements file about where packages come from, in order.
    `flags`: arguments of `uv pip install` that have no place in a requirements file.
    `notes`: what the definition says and this machine does not do, a line each, for the log.
    """

    python: SpecifierSet | None = None
    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __add__(self, other: "PackageRequirements") -> "PackageRequirements":
        return PackageRequirements(
            python=other.python if self.python is None else self.python & (other.python or SpecifierSet()),
            requirements=self.requirements + other.requirements,
            constraints=self.constraints + other.constraints,
            options=self.options + other.options,
            flags=self.flags + other.flags,
            notes=self.notes + other.notes,
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked, neither a Python nor a package."""
        return self.python is None and not self.requirements


def unmet(required: PackageRequirements, site_packages: Iterable[Path]) -> list[str]:
    """What the packages in these folders do not meet, each with what is there instead; empty when all holds.

    The folders must be the running interpreter's: markers are evaluated for it.
    """
    path = [str(folder) for folder in site_packages]
    lacking = [reason for text in required.requirements for reason in _unmet_text(text, path)]
    return lacking + [reason for text in required.constraints for reason in _unmet_text(text, path, optional=True)]


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


@dataclass(frozen=True, slots=True)
class Runtime:
    """A Python environment.

    `python` starts it, `base_python` is the interpreter under its virtual environments, `version` that of Python.
    `site_packages` holds its packages, the first hiding the later ones; `scripts` its commands; `site_folder` is where
    a virtual environment of this Python has its packages, relative to its prefix.
    `wheels` are folders that may hold the wheel of pip which came with the interpreter.
    """

    python: Path
    base_python: Path
    prefix: Path
    version: str
    scripts: Path
    site_folder: str
    site_packages: tuple[Path, ...]
    wheels: tuple[Path, ...]
    description: str


def current_runtime() -> Runtime:
    """The environment that this process runs in, as far as jobs may see it."""
    facts = probe.facts()
    return _from_facts(facts, f"the current interpreter, Python {facts['version']}")


def runtime_at(python: Path, description: str) -> Runtime:
    """The environment whose interpreter is `python`. Raises `EnvironmentUnsatisfiable` when that does not start."""
    command = [str(python), "-I", "-c", _PROBE, probe.__file__]
    try:
        done = subprocess.run(command, capture_output=True, check=True, stdin=subprocess.DEVNULL)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as error:
        raise EnvironmentUnsatisfiable(
            f"{description}: {python} does not start ({error}); delete {python.parents[1]}"
        ) from error
    return _from_facts(json.loads(done.stdout), description)


def _from_facts(facts: Mapping[str, Any], description: str) -> Runtime:
    return Runtime(
        python=Path(facts["python"]),
        base_python=Path(facts["base_python"]),
        prefix=Path(facts["prefix"]),
        version=facts["version"],
        scripts=Path(facts["scripts"]),
        site_folder=facts["site_folder"],
        site_packages=tuple(map(Path, facts["site_packages"])),
        wheels=tuple(map(Path, facts["wheels"])),
        description=description,
    )


def environ(runtime: Runtime, base: Mapping[str, str]) -> dict[str, str]:
    """The environment variables of a program that runs in `runtime`; all else is as in `base`."""
    found = neutral_environ(base)
    found["PATH"] = os.pathsep.join((str(runtime.scripts), base.get("PATH", os.defpath)))
    if runtime.python != runtime.base_python:
        found["VIRTUAL_ENV"] = str(runtime.prefix)
    return found


def neutral_environ(base: Mapping[str, str]) -> dict[str, str]:
    """`base` without what points to another Python environment; indexes and credentials of the person stay."""
    elsewhere = frozenset(_ELSEWHERE.split())
    return {name: value for name, value in base.items() if name not in elsewhere}
