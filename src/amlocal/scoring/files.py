"""Which files a batch job scores, in which order, and how they are dealt out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class MiniBatch:
    """The files of one call of `run`; `number` counts from 0."""

    number: int
    files: tuple[Path, ...]


def input_files(data: Path) -> list[Path]:
    """Return the files at or below a path, sorted by their path part by part: a file alone is a list of one."""
    if data.is_file():
        return [data]
    found = (path for path in data.rglob("*") if path.is_file())
    return sorted(found, key=lambda path: path.relative_to(data).parts)


def top_level(files: Sequence[Path], data: Path) -> list[Path]:
    """Return those of the files that are in no folder below the input's own."""
    return [file for file in files if data in (file, file.parent)]


def display_name(file: Path, data: Path) -> str:
    """Return how the output names a file: by its path below the input folder, slashes between."""
    return file.name if file == data else file.relative_to(data).as_posix()


def mini_batches(files: Sequence[Path], size: int) -> Iterator[MiniBatch]:
    """Yield the files in mini batches of `size`, the last one smaller when they do not come out even."""
    for number, start in enumerate(range(0, len(files), size)):
        yield MiniBatch(number, tuple(files[start : start + size]))
