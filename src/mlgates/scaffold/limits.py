"""The limits of a made project's gates, from what a first training scored on several splits."""

import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlgates.scaffold import first_training
from mlgates.scaffold.choices import Task
from mlgates.scaffold.errors import UnsuitableData

GATED = {
    Task.BINARY: ("accuracy", "roc_auc"),
    Task.MULTICLASS: ("accuracy", "f1_macro"),
    Task.REGRESSION: ("r2", "neg_root_mean_squared_error"),
}
"""By task, the metrics that have a limit."""
CHOSEN_BY = {Task.BINARY: "roc_auc", Task.MULTICLASS: "f1_macro", Task.REGRESSION: "r2"}
_DEVIATIONS = 3
_ROOM = 0.02
"""Below the worst split, three deviations and this share of the figure: a limit that a good training never breaks."""
Scores = Sequence[Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Limit:
    """A floor, and what it comes from."""

    min: float
    why: str


@dataclass(frozen=True, slots=True)
class FirstTraining:
    """What a first training tells."""

    estimator: str
    reason: str
    splits: int
    metrics: Mapping[str, Limit]
    size_mb: int
    trusted_types: tuple[str, ...]
    """What the models of all estimators hold beyond what skops trusts by itself."""


def train_first(source: Path, package: str, data: Path, task: Task) -> FirstTraining:
    """Train the made package on several splits, in a process of its own. Raises `UnsuitableData` when it cannot."""
    command = [sys.executable, first_training.__file__, package, str(data)]
    environ = {**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)  # noqa: S603 - our program
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise UnsuitableData(f"a first training on this table failed: {last}")
    return draft_limits(json.loads(done.stdout), task)


def draft_limits(figures: Mapping[str, Mapping[str, object]], task: Task) -> FirstTraining:
    """Choose the better estimator, and set the limits from its scores."""
    chosen_by = CHOSEN_BY[task]
    means = {name: statistics.fmean(each[chosen_by] for each in _scores(found)) for name, found in figures.items()}
    best = max(means, key=lambda name: means[name])
    scores = _scores(figures[best])
    others = ", ".join(f"{name} {mean:.3f}" for name, mean in means.items() if name != best)
    size = int(str(figures[best]["bytes"]))
    return FirstTraining(
        estimator=best,
        reason=f"{chosen_by} {means[best]:.3f} in a first training, {others}",
        splits=len(scores),
        metrics={name: _limit([each[name] for each in scores]) for name in GATED[task]},
        trusted_types=tuple(sorted({str(each) for found in figures.values() for each in found["types"]})),  # type: ignore[attr-defined]
        size_mb=max(10, math.ceil(size / 1e6 * 3)),
    )


def _scores(found: Mapping[str, object]) -> Scores:
    scores: Scores = found["scores"]  # type: ignore[assignment]
    return scores


def _limit(values: Sequence[float]) -> Limit:
    worst, spread = min(values), statistics.pstdev(values)
    floor = worst - _DEVIATIONS * spread - abs(worst) * _ROOM
    digits = 2 - math.floor(math.log10(abs(floor))) if floor else 2
    scale = 10.0 ** max(0, digits)
    told = f"{worst:.4g} to {max(values):.4g}" if len(values) > 1 else f"{worst:.4g}"
    return Limit(float(f"{math.floor(floor * scale) / scale:.10g}"), told)
