"""Which files of a project a build is made of, and a build as a project again."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from mlgates.build.archive import Build, pack, unpack
from mlgates.config.project import Project
from mlgates.core.errors import BuildRefused
from mlgates.core.values import SourceState

PARTS = ("src", "mlops", "data", "pyproject.toml", "requirements.lock")
"""Sources, everything declared, samples and expectation suites, and the lock: what git tracks of them."""


def make(project: Project, source: SourceState, into: Path) -> Build:
    """Build `project` as it lies there. Raises `BuildRefused` outside of a git checkout."""
    return pack(project.root, _tracked(project.root), source, into)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A build, and the project that it holds."""

    build: Build
    project: Project


@contextmanager
def unpacked(archive: Path) -> Iterator[Unpacked]:
    """Lend the project that an archive holds, in a folder that ends with the block. Raises `BuildRefused`."""
    with tempfile.TemporaryDirectory(prefix="mlgates-build-") as folder:
        build = unpack(archive, Path(folder))
        yield Unpacked(build, Project(Path(folder)))


def data_beside(built: Project, checkout: Project) -> Path | None:
    """Return the training set that an unpacked build declares as a local file, as it lies in the checkout now.

    Data is no part of a build: the same code is trained on what lies at the data set's path. None for a URI.
    """
    document = yaml.safe_load((built.training / "dataset.yml").read_text(encoding="utf-8"))
    path = str(document.get("path", "")) if isinstance(document, dict) else ""
    if not path or "://" in path or path.startswith("azureml:") or Path(path).is_absolute():
        return None
    return checkout.root / (built.training / path).resolve().relative_to(built.root.resolve())


def _tracked(root: Path) -> list[str]:
    command = ["git", "-C", str(root), "ls-files", "-z", "--", *PARTS]
    try:
        done = subprocess.run(command, capture_output=True, check=False, env=_without_hooks(os.environ))  # noqa: S603 - git from PATH
    except FileNotFoundError as error:
        raise BuildRefused("git is not there, and a build is made of the files that git tracks") from error
    names = [name for name in os.fsdecode(done.stdout).split("\0") if name and (root / name).is_file()]
    if done.returncode or not names:
        raise BuildRefused(f"{root} is no git checkout of a project: a build is made of the files that git tracks")
    return names


def _without_hooks(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without those that would lead git to another checkout."""
    return {
        name: value for name, value in environ.items() if name not in {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"}
    }
