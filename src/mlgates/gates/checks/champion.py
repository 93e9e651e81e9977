"""Whether the candidate is as good as the champion, on the same rows, by a paired bootstrap.

Both models predict the candidate's held-out rows. The rows are drawn again with replacement many times, the same draw
for both, and each time the candidate's gain over the champion is taken: those gains are the distribution of the gain
(Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13: the percentile interval). The candidate holds
when the interval's lower end is not below minus the margin: it is shown to lose no more than that (a test of
non-inferiority), which a bare difference on one sample cannot show.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from pydantic import Field

from mlgates.config.declaring import Strict
from mlgates.core.gates import CheckResult, Verdict
from mlgates.evaluation.answers import Answers
from mlgates.evaluation.draws import of_draws
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.rows import Rows
from mlgates.evaluation.scores import Score, ScoreName
from mlgates.gates.evidence import Evidence

_UNDEFINED = 0.01
"""The share of draws without a score up to which the others stand for all."""


class ChampionConfig(Strict):
    """What is compared, and how sure one must be that it is no loss."""

    metric: ScoreName = ""
    """The score in which they are compared (docs/gates.md); by default `auc`, `auc_ovr` or `r2`, by the task."""
    lower_is_better: bool = False
    """Of a function of one's own, that it measures a loss; other scores are known."""
    margin: float = Field(default=0.01, gt=0)
    """The loss that is let pass, in the metric's own unit; without one, not even the champion could follow itself."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """How sure one must be that the loss is not larger than that."""
    resamples: int = Field(default=1000, ge=100, le=100_000)
    """How often the rows are drawn again."""
    seed: int = Field(default=0, ge=0)
    """Of the draws: the same seed finds the same."""
    min_rows: int = Field(default=10, ge=0)
    """Held-out rows that each class must have, of a regression all together: with fewer, an interval says nothing."""


def check(config: ChampionConfig, evidence: Evidence) -> Iterator[CheckResult]:
    """Yield one result: the gain's interval. Without a champion there is nothing to lose, and that is what it says."""
    if evidence.champion is None:
        yield CheckResult(
            name="", verdict=Verdict.PASSED, reason="nothing serves yet: the floors of the metrics alone decide"
        )
        return
    rows, score = evidence.labelled, evidence.score(config.metric, lower_is_better=config.lower_is_better)
    _enough(rows, config.min_rows)
    answers = [evidence.answers(model) for model in (evidence.candidate, evidence.champion)]
    ours, theirs = (score(rows, each) for each in answers)
    better = -1 if score.lower_is_better else 1
    gains = better * _gains(config, score, rows, answers)
    low, high = _interval(gains, config.confidence)
    gain = better * (ours - theirs)
    yield CheckResult(
        name=score.name,
        verdict=Verdict.passed_if(low >= -config.margin),
        reason=(
            f"{score.name} {ours:.4f} against the champion's {theirs:.4f} on {len(rows)} rows: "
            f"gain {gain:+.4f}, {config.confidence:.0%} interval {low:+.4f} to {high:+.4f}"
        ),
        figure=gain,
        limit=f"no loss beyond {config.margin:g} at {config.confidence:.0%} confidence",
        least=-config.margin,
        remedy=f"train a better one than {evidence.champion}, judge it on more rows, or widen champion.margin",
        evidence={"candidate": ours, "champion": theirs, "low": low, "high": high, "rows": len(rows)},
    )


def _enough(rows: Rows, least: int) -> None:
    """Raise `CouldNotRun` when a class has too few rows for draws of them to tell anything."""
    if not rows.target.task.classifies:
        counts = {"": len(rows)}
    else:
        numbers = np.bincount(rows.labels.astype(np.int64), minlength=len(rows.target.classes))
        counts = {str(name): int(number) for name, number in zip(rows.target.classes, numbers, strict=True)}
    few = {name: number for name, number in counts.items() if number < least}
    if few:
        name, number = min(few.items(), key=lambda each: each[1])
        of = f" of class {name}" if name else ""
        raise CouldNotRun(
            f"there are {number} held-out rows{of}, and at least {least} are needed",
            remedy="set more rows aside in training, or lower champion.min_rows",
        )


def _gains(config: ChampionConfig, score: Score, rows: Rows, answers: Sequence[Answers]) -> npt.NDArray[np.float64]:
    draw = np.random.default_rng(config.seed)
    ours, theirs = (of_draws(score, rows, each) for each in answers)
    gains = np.empty(config.resamples)
    for number in range(config.resamples):
        drawn = draw.integers(0, len(rows), len(rows))
        gains[number] = ours(drawn) - theirs(drawn)
    undefined = int(np.isnan(gains).sum())
    if undefined > _UNDEFINED * config.resamples:
        raise CouldNotRun(
            f"{score.name} is not defined in {undefined} of {config.resamples} draws: too few rows of a class",
            remedy="set more rows aside in training",
        )
    return gains


def _interval(gains: npt.NDArray[np.float64], confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(gains, [tail, 1 - tail])
    return float(low), float(high)
