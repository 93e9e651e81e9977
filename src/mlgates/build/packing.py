"""Which files of a project a build is made of, and a build as a project again."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import yaml

from mlgates.build.archive import Build, pack, unpack
from mlgates.build.tree import read_parts
from mlgates.config.project import Project, parse_yaml
from mlgates.core.checkout import PARTS, Checkout
from mlgates.core.errors import BuildRefused, ConfigurationError
from mlgates.core.values import SourceState

DATASET = "dataset.yml"


def make(project: Project, source: SourceState, into: Path) -> Build:
    """Build `project` as it is committed at `source`, whatever lies there: training data is no part of it.

    Raises `SourceUnknown` where git does not tell the commit, `BuildRefused` for what no build can hold.
    """
    checkout = Checkout.of(project.root)
    if checkout.commit != source.commit:
        raise BuildRefused(
            f"{project.root} is at commit {checkout.commit[:12]}, and the build was to be of {source.commit[:12]}"
        )
    files = read_parts(checkout, without=_training_data(project, checkout))
    if not files:
        raise BuildRefused(f"commit {checkout.commit[:12]} holds nothing that a build is made of: {', '.join(PARTS)}")
    return pack(files, source, into)


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
    file = built.training / DATASET
    path = _local_path(file.read_bytes(), built.shown(file))
    if path is None:
        return None
    return checkout.root / (file.parent / path).resolve().relative_to(built.root.resolve())


def _training_data(project: Project, checkout: Checkout) -> list[str]:
    """Return the path from the project of what the committed dataset.yml declares: it is a data asset of its own."""
    file = project.training / DATASET
    name = (PurePosixPath(checkout.prefix) / project.training.relative_to(project.root).as_posix() / DATASET).as_posix()
    committed = checkout.entries().get(name)
    path = _local_path(checkout.blobs([committed.object])[committed.object], name) if committed else None
    if path is None:
        return []
    place = Path(os.path.normpath(file.parent / path))
    return [place.relative_to(project.root).as_posix()] if place.is_relative_to(project.root) else []


def _local_path(declared: bytes, shown: str) -> str | None:
    """Return the path of a data set that lies in the project, relative to its declaration; None for any other."""
    try:
        dataset = parse_yaml(declared)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{shown} is no YAML: {' '.join(str(error).split())}") from error
    path = str(dataset.get("path") or "") if isinstance(dataset, dict) else ""
    if not path or "://" in path or path.startswith("azureml:") or Path(path).is_absolute():
        return None
    return path
