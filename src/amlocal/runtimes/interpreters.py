"""Which Python an environment gets: the one it asks for, or else the nearest that is installed."""

import json
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import SpecifierSet

from amlocal.runtimes.errors import EnvironmentUnsatisfiable, InvalidDefinition, PythonNotInstalled
from amlocal.runtimes.runtime import Log, Runtime, neutral_environ
from amlocal.runtimes.uv_command import uv_path

Minor = tuple[int, int]

# Every minor version that there is, or may be for a while.
_MINORS: tuple[Minor, ...] = tuple((3, minor) for minor in range(30))


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An installed Python; `version` as in 3.11.7."""

    path: Path
    version: tuple[int, ...]

    @property
    def minor(self) -> Minor:
        """Major and minor version."""
        return self.version[0], self.version[1]

    def __str__(self) -> str:
        return ".".join(map(str, self.version))


def accepts(python: SpecifierSet, minor: Minor) -> bool:
    """Whether some patch release of the minor version will do: patches do not change what packages can be had."""
    return any(python.contains(f"{minor[0]}.{minor[1]}.{patch}") for patch in range(30))


def choose(
    python: SpecifierSet | None,
    current: Interpreter,
    installed: Callable[[], Iterable[Interpreter]],
    *,
    strict: bool,
    log: Log,
) -> Interpreter:
    """The current interpreter if it will do, else the newest that will, else the nearest.

    The last is said in the log, or with `strict` raises `PythonNotInstalled`. Raises `InvalidDefinition` when no
    Python 3 can do. `installed` is asked only when the current interpreter will not do, for the search takes time.
    """
    if python is None or accepts(python, current.minor):
        return current
    wanted = [minor for minor in _MINORS if accepts(python, minor)]
    if not wanted:
        raise InvalidDefinition(f"python{python}: no version of Python 3 is that")
    candidates = [*installed(), current]
    # Nearest first; the current one before others as near, then the newest.
    best = min(candidates, key=lambda one: (_distance(one, wanted), one != current, tuple(-n for n in one.version)))
    if best.minor not in wanted:
        lacking = f"python{python} is not installed here (installed: {_listed(candidates)})"
        if strict:
            raise PythonNotInstalled(f"{lacking}, and the strict treatment of environments forbids another version")
        log(f"{lacking}; taking the nearest, Python {best}")
    return best


def _distance(one: Interpreter, wanted: Iterable[Minor]) -> int:
    return min(abs(one.version[1] - minor) for _, minor in wanted)


def _listed(candidates: Iterable[Interpreter]) -> str:
    return ", ".join(".".join(map(str, version)) for version in sorted({one.version for one in candidates}))


def current_interpreter(current: Runtime) -> Interpreter:
    """The interpreter of a runtime, below its virtual environment."""
    return Interpreter(current.base_python, tuple(int(part) for part in current.version.split(".")))


def installed_interpreters(environ: Mapping[str, str]) -> list[Interpreter]:
    """Every CPython 3 that uv finds on this machine; nothing is downloaded. Raises `EnvironmentUnsatisfiable`."""
    command = "python list --only-installed --no-python-downloads --offline --output-format=json"
    done = subprocess.run(  # noqa: S603
        [uv_path(), *command.split()],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=os.sep,
        env=neutral_environ(environ),
        check=False,
    )
    # stderr is for failure alone: otherwise uv complains there of broken interpreters, which are no business of a job's
    if done.returncode:
        raise EnvironmentUnsatisfiable(f"uv cannot list the installed Pythons: {done.stderr.decode(errors='replace')}")
    return [
        Interpreter(Path(found["path"]), tuple(found["version_parts"][part] for part in ("major", "minor", "patch")))
        for found in json.loads(done.stdout)
        if (found["implementation"], found["variant"], found["version_parts"]["major"]) == ("cpython", "default", 3)
    ]
