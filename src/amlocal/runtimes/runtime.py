"""A Python environment that programs can run in, and the environment variables that put them there."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
