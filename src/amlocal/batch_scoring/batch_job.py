"""What a batch job is asked to do, its files in mini batches, what comes of one, and what stops the job."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

SETTINGS_VARIABLE = "AMLOCAL_BATCH_SCORING"  # JSON: the fields of `BatchSettings`
_LONGEST = 1000  # characters of a reason: some errors quote the whole of the value that they are about


@dataclass(frozen=True)
class BatchSettings:
    """The settings of a deployment, those of the call that overrode them included.

    `mini_batch_size` counts files, `workers` processes (instances times concurrency on each), `timeout_s` holds for
    one call of `run`. An `error_threshold` of -1 lets any number of files fail. Without `output_file` no rows are
    kept (`summary_only`); without `script` the model is an MLflow model that is called as it is.
    """

    mini_batch_size: int
    workers: int
    max_retries: int
    timeout_s: float
    error_threshold: int
    logging_level: str
    output_file: str | None
    script: str | None


@dataclass(frozen=True)
class BatchPaths:
    """Where the model (a file or folder), the data (a file or folder) and the output (a folder) of the job are."""

    model: Path
    data: Path
    output: Path


def read(environ: Mapping[str, str]) -> tuple[BatchSettings, BatchPaths]:
    """Return settings and paths of the job whose environment variables these are."""
    paths = BatchPaths(
        model=Path(environ["AZURE_ML_INPUT_model"]),
        data=Path(environ["AZURE_ML_INPUT_data"]),
        output=Path(environ["AZURE_ML_OUTPUT_score"]),
    )
    return BatchSettings(**json.loads(environ[SETTINGS_VARIABLE])), paths


class ScoringError(Exception):
    """The job cannot go on; the message is what its user reads."""


class UnreadableFile(ScoringError):
    """One input file cannot be scored; the others can."""


def reason_of(error: BaseException) -> str:
    """Return what to say of an error: its type and message, in one line of a length that a log can bear."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]} …"


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


@dataclass(frozen=True)
class MiniBatchResult:
    """How a mini batch went: how many rows came out, and which files failed, with the reason."""

    rows: int
    failed: Mapping[str, str] = field(default_factory=dict)


class Scorer(Protocol):
    """Scores mini batches in one process; whatever it raises fails the mini batch as a whole."""

    def run(self, files: Sequence[Path], part: Path) -> MiniBatchResult:
        """Score the files and write their lines, whole, to `part`."""
        ...
