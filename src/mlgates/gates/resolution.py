"""Whether a model's pinned requirements can be installed, asked of uv and the package index that it is set to."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from mlgates.evaluation.errors import CouldNotRun

REQUIREMENTS = "requirements.txt"
"""The file in a model's folder in which MLflow keeps them."""
PYTHON = "python_env.yaml"
_TIMEOUT_S = 120
# uv names a pinned release that its index marks as yanked (PEP 592) in a warning, and resolves all the same.
_YANKED = re.compile(r"warning: `(?P<release>[^`]+)` is yanked(?: \(reason: \"(?P<reason>[^\"]*)\"\))?")
_NO_SOLUTION = "No solution found"


@dataclass(frozen=True, slots=True)
class Resolution:
    """What the index makes of some requirements."""

    releases: int
    """How many distributions would be installed; 0 when they cannot be."""
    conflict: str = ""
    """Why they cannot be installed together; empty when they can."""
    yanked: Mapping[str, str] | None = None
    """Pinned releases that were withdrawn, `name==version` and the reason given; None when that is not known."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Read it back."""
        return cls(**document)


def resolve(folder: Path, root: Path) -> Resolution:
    """Resolve the requirements of the model in `folder`, for its Python, with the index settings that hold in `root`.

    Nothing is downloaded but metadata, nothing installed. Raises `CouldNotRun` when the model names no requirements,
    or the index does not answer.
    """
    from uv import find_uv_bin  # noqa: PLC0415 - only this needs it

    file = folder / REQUIREMENTS
    if not file.is_file():
        raise CouldNotRun(f"the model has no {REQUIREMENTS}", remedy="save it with pip_requirements, each pinned")
    command = [find_uv_bin(), "pip", "compile", "--no-header", "--no-annotate", "--no-progress", "--color", "never"]
    if python := python_of(folder):
        command += ["--python-version", python]
    try:
        done = subprocess.run(  # noqa: S603 - uv's own binary
            [*command, str(file.absolute())],
            cwd=root,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise CouldNotRun(f"the package index gave no answer within {_TIMEOUT_S} s", remedy=_REACH) from error
    return read_answer(done.returncode, done.stdout, done.stderr)


_REACH = "reach the package index (uv's settings hold: UV_INDEX_URL, uv.toml), and run the gate again"


def read_answer(code: int, output: str, complaints: str) -> Resolution:
    """Return what `uv pip compile` says by exit code, standard output and standard error."""
    if code == 0:
        releases = sum("==" in line for line in output.splitlines())
        yanked = {found["release"]: found["reason"] or "no reason given" for found in _YANKED.finditer(complaints)}
        return Resolution(releases, yanked=yanked)
    if _NO_SOLUTION in complaints:
        return Resolution(0, conflict=_one_line(complaints.partition(_NO_SOLUTION)[2]))
    raise CouldNotRun(f"the requirements could not be looked up: {_one_line(complaints)}", remedy=_REACH)


def _one_line(text: str) -> str:
    # uv draws a tree of causes with box characters, or plain words, depending on its version.
    words = " ".join(re.sub(r"[^\x20-\x7e]", " ", text).split())
    said = words.removeprefix("when resolving dependencies").strip(" :").removeprefix("cause: ")
    return said[:300]


def python_of(folder: Path) -> str | None:
    """Return the minor version of Python that the model was saved by, `3.11`."""
    file = folder / PYTHON
    found = (
        re.search(r"^python: *(\d+\.\d+)", file.read_text(encoding="utf-8"), re.MULTILINE) if file.is_file() else None
    )
    return found[1] if found else None
