"""Whether the candidate is as good as the champion, on the same rows, by a paired bootstrap.

Both models predict the candidate's held-out rows. The rows are drawn again with replacement many times, the same draw
for both, and each time the candidate's gain over the champion is taken: those gains are the distribution of the gain
(Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13: the percentile interval). The candidate holds
when the interval's lower end is not below minus the margin: it is shown to lose no more than that (a test of
non-inferiority), which a bare difference on one sample cannot show.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from mlgates.config.declaring import Strict
from mlgates.core.gates import CheckResult, Verdict
from mlgates.gates.evidence import Evidence
from mlgates.gates.scores import LOWER_IS_BETTER, SCORES, Labels, Probabilities, of_draws


class ChampionConfig(Strict):
    """What is compared, and how sure one must be that it is no loss."""

    metric: Literal["accuracy", "auc", "brier", "precision", "recall"] = "auc"
    """The score in which they are compared."""
    margin: float = Field(default=0.01, gt=0)
    """The loss that is let pass, in the metric's own unit; without one, not even the champion could follow itself."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """How sure one must be that the loss is not larger than that."""
    resamples: int = Field(default=1000, ge=100, le=100_000)
    """How often the rows are drawn again."""
    seed: int = Field(default=0, ge=0)
    """Of the draws: the same seed finds the same."""


def check(config: ChampionConfig, evidence: Evidence) -> Iterator[CheckResult]:
    """Yield one result: the gain's interval. Without a champion there is nothing to lose, and that is what it says."""
    if evidence.champion is None:
        yield CheckResult(
            name="", verdict=Verdict.PASSED, reason="nothing serves yet: the floors of the metrics alone decide"
        )
        return
    labels = evidence.held_out.labels
    models = (evidence.candidate, evidence.champion)
    pairs = [(evidence.classes(model), evidence.probabilities(model)) for model in models]
    gain = _gains(config, labels, pairs)
    score = SCORES[config.metric]
    ours, theirs = (score(labels, classes, probabilities) for classes, probabilities in pairs)
    low, high = _interval(gain, config.confidence)
    better = -1 if config.metric in LOWER_IS_BETTER else 1
    yield CheckResult(
        name=config.metric,
        verdict=Verdict.passed_if(low >= -config.margin),
        reason=(
            f"{config.metric} {ours:.4f} against the champion's {theirs:.4f} on {len(labels)} rows: "
            f"gain {better * (ours - theirs):+.4f}, {config.confidence:.0%} interval {low:+.4f} to {high:+.4f}"
        ),
        figure=better * (ours - theirs),
        limit=f"no loss beyond {config.margin:g} at {config.confidence:.0%} confidence",
        least=-config.margin,
        remedy=f"train a better one than {evidence.champion}, judge it on more rows, or widen champion.margin",
        evidence={"candidate": ours, "champion": theirs, "low": low, "high": high, "rows": len(labels)},
    )


def _gains(
    config: ChampionConfig,
    labels: Labels,
    pairs: list[tuple[Labels, Probabilities]],
) -> npt.NDArray[np.float64]:
    draw = np.random.default_rng(config.seed)
    better = -1 if config.metric in LOWER_IS_BETTER else 1
    ours, theirs = (of_draws(config.metric, labels, classes, probabilities) for classes, probabilities in pairs)
    gains = np.empty(config.resamples)
    for number in range(config.resamples):
        rows = draw.integers(0, len(labels), len(labels))
        gains[number] = better * (ours(rows) - theirs(rows))
    return gains


def _interval(gains: npt.NDArray[np.float64], confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(gains, [tail, 1 - tail])
    return float(low), float(high)
