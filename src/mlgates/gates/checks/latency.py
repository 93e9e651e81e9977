"""How long the model takes to predict, in this process: one row, as a request brings it, and a batch.

What else the machine does makes a prediction slower and never faster, and must not fail the gate. So the time in which
this thread was ready and had no processor is left out, where the system counts it (Linux); and a measurement over its
limit is taken again, the better one counts. A slow model stays slow.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from mlgates.config.declaring import Strict
from mlgates.core.gates import CheckResult, Verdict
from mlgates.evaluation.errors import CouldNotRun
from mlgates.gates.evidence import Evidence

_ROUNDS = 2
_SCHEDULED = Path("/proc/thread-self/schedstat")
"""Three numbers: nanoseconds on a processor, nanoseconds of waiting for one, and time slices (proc(5), Linux)."""
_FEWEST, _ROUND_S = 3, 1.0
"""A round that has taken this long ends, as soon as it has so many predictions."""


class Times(Strict):
    """Limits in milliseconds, of the median or of the slowest twentieth."""

    median_ms: float | None = Field(default=None, gt=0)
    """Half of the predictions are faster."""
    p95_ms: float | None = Field(default=None, gt=0)
    """All but the slowest twentieth are faster."""

    @model_validator(mode="after")
    def _says_something(self) -> "Times":
        if self.median_ms is None and self.p95_ms is None:
            raise ValueError("give median_ms, p95_ms or both")
        return self


class LatencyConfig(Strict):
    """How long predictions may take."""

    row: Times = Times(median_ms=100.0)
    """Of a single row."""
    batch: Times = Times(median_ms=1000.0)
    """Of `batch_rows` rows at once."""
    batch_rows: int = Field(default=1000, ge=2)
    """The rows of a batch, drawn from the held-out ones."""
    repeats: int = Field(default=10, ge=3, le=10_000)
    """Predictions of a round; it ends early after a second."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One round of predictions, in milliseconds."""

    median_ms: float
    p95_ms: float
    predictions: int

    def within(self, times: Times) -> bool:
        """True when no limit is passed."""
        return self.median_ms <= (times.median_ms or np.inf) and self.p95_ms <= (times.p95_ms or np.inf)


def check(config: LatencyConfig, evidence: Evidence) -> Iterator[CheckResult]:
    """Yield results `row_median`, `row_p95`, `batch_median`, `batch_p95`, those that have a limit."""
    features = evidence.held_out.features
    if features.empty:
        raise CouldNotRun("there are no held-out rows to predict")
    several = features.iloc[np.arange(config.batch_rows) % len(features)]
    for part, rows, times in (("row", features.iloc[:1], config.row), ("batch", several, config.batch)):
        measured = measure(lambda rows=rows: evidence.candidate.predict(rows), times, config.repeats)  # type: ignore[misc]
        yield from _results(part, rows, times, measured)


def measure(
    predict: Callable[[], object], times: Times, repeats: int, clock: Callable[[], float] | None = None
) -> Measured:
    """Return the first round within the limits, or the best of all; `predict` is called once before, to warm up."""
    clock = clock or own_time
    predict()
    best = _round(predict, repeats, clock)
    for _ in range(_ROUNDS - 1):
        if best.within(times):
            break
        best = min(best, _round(predict, repeats, clock), key=lambda measured: measured.median_ms)
    return best


def own_time(scheduled: Path = _SCHEDULED) -> float:
    """Return the seconds of a clock that stands still while this thread waits for a processor, if that is counted."""
    try:
        waited_ns = int(scheduled.read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        waited_ns = 0
    return time.perf_counter() - waited_ns / 1e9


def _round(predict: Callable[[], object], repeats: int, clock: Callable[[], float]) -> Measured:
    taken: list[float] = []
    while len(taken) < repeats and (len(taken) < _FEWEST or sum(taken) < _ROUND_S):
        began = clock()
        predict()
        # The system adds up the waiting at its ticks, now and then a little too late: the clock seems to go back.
        taken.append(max(0.0, clock() - began))
    median, p95 = np.quantile(taken, [0.5, 0.95]) * 1000
    return Measured(float(median), float(p95), len(taken))


def _results(part: str, rows: pd.DataFrame, times: Times, measured: Measured) -> Iterator[CheckResult]:
    what = "one row" if len(rows) == 1 else f"{len(rows)} rows"
    for name, figure, most in (
        ("median", measured.median_ms, times.median_ms),
        ("p95", measured.p95_ms, times.p95_ms),
    ):
        if most is not None:
            yield CheckResult(
                name=f"{part}_{name}",
                verdict=Verdict.passed_if(figure <= most),
                reason=f"{what} in {figure:.1f} ms ({name} of {measured.predictions} predictions)",
                figure=figure,
                limit=f"at most {most:g}",
                most=most,
                unit="ms",
                remedy="make the model smaller, or see which step of its pipeline takes the time",
            )
