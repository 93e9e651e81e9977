"""What has come of the files so far: the output put together in order, and failures held against the threshold."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from .errors import ScoringError
from .files import MiniBatch
from .scorer import Result

_LOG = logging.getLogger("azureml")


def too_many(failed: int, threshold: int) -> bool:
    """Tell whether a job ends because of the files that failed; a threshold of -1 lets any number fail."""
    return threshold >= 0 and failed > threshold


class Outcome:
    """Takes results in any order and appends their lines in the order of the mini batches.

    `output` is None when rows are not kept.
    """

    def __init__(self, error_threshold: int, output: Path | None) -> None:
        self._error_threshold = error_threshold
        self._output = output
        self._next = 0
        self._waiting: dict[int, Path | None] = {}
        self._files = 0
        self._rows = 0
        self._failed: dict[str, str] = {}

    def add(self, batch: MiniBatch, part: Path | None, result: Result) -> None:
        """Take the result of a mini batch, whose lines are in `part`. Raises `ScoringError` when too many failed."""
        self._files += len(batch.files)
        self._rows += result.rows
        self._failed.update(result.failed)
        _LOG.info("mini batch %d: %d files, %d results", batch.number, len(batch.files), result.rows)
        if too_many(len(self._failed), self._error_threshold):
            raise ScoringError(
                f"{len(self._failed)} files failed, and error_threshold is {self._error_threshold}. {self._first()}"
            )
        self._waiting[batch.number] = part
        self._append()

    def summary(self) -> str:
        """Return what to say at the end."""
        return f"{self._files} files, {self._rows} results, {len(self._failed)} files failed"

    def check(self) -> None:
        """Raise `ScoringError` when nothing came of any file: such a job fails on Azure whatever its threshold."""
        if len(self._failed) >= self._files:
            raise ScoringError(f"There is no succeeded mini batch item returned from run(). {self._first()}")

    def _first(self) -> str:
        name, reason = next(iter(self._failed.items()))
        return f"The first: {name}: {reason}"

    def _append(self) -> None:
        while self._next in self._waiting:
            part = self._waiting.pop(self._next)
            self._next += 1
            if part is not None and self._output is not None:
                with part.open("rb") as lines, self._output.open("ab") as output:
                    shutil.copyfileobj(lines, output, 2**20)
                part.unlink()
