"""What a worker does with a mini batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from .settings import Places, Settings


@dataclass(frozen=True)
class Result:
    """How a mini batch went: how many rows came out, and which files failed, with the reason."""

    rows: int
    failed: Mapping[str, str] = field(default_factory=dict)


class Scorer(Protocol):
    """Scores mini batches in one process; whatever it raises fails the mini batch as a whole."""

    def run(self, files: Sequence[Path], part: Path) -> Result:
        """Score the files and write their lines, whole, to `part`."""
        ...


def preload(settings: Settings) -> None:
    """Import what every worker will need, once for all of them where they are forked."""
    if settings.script is None:
        import mlflow.pyfunc  # noqa: F401, PLC0415


def load(settings: Settings, places: Places) -> Scorer:
    """Return the scorer of a job, its model loaded; a script's `init` has been called. Raises what that raises."""
    # Here, since a scoring script's environment need not have MLflow, nor a model's one what a script needs.
    if settings.script is None:
        from .mlflow_model import MlflowScorer  # noqa: PLC0415

        return MlflowScorer.load(places, keep_rows=settings.output_file is not None)
    from .script import ScriptScorer  # noqa: PLC0415

    return ScriptScorer.load(
        Path(settings.script),
        places.data,
        logging_level=settings.logging_level,
        keep_rows=settings.output_file is not None,
    )
