"""What the model's answers rest on: permutation importance, and whether that is what they should rest on.

The values of one feature are shuffled among held-out rows, and the score falls by what the model drew from that feature
(Breiman, Random Forests, 2001). scikit-learn's `permutation_importance` does it, for any flavor and type of column.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from pydantic import Field

from mlgates.config.declaring import Strict
from mlgates.core.gates import CheckResult, Verdict
from mlgates.core.nearest import did_you_mean
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.model import Model
from mlgates.evaluation.rows import Rows
from mlgates.evaluation.scores import Score, ScoreName
from mlgates.evaluation.target import EvaluationConfig
from mlgates.gates.evidence import Evidence

_LEAST_OF_CLASS = 10
"""Rows of each class among those that are looked at, where there are so many."""


class ExplanationConfig(Strict):
    """What the model may rest on."""

    max_share: float = Field(default=0.9, gt=0, le=1)
    """The share of all importance that one feature may have."""
    forbidden: list[str] = Field(default_factory=list)
    """Columns that may not be features at all, such as an identifier, which a model can learn by heart."""
    unrelated: list[str] = Field(default_factory=list)
    """Columns that may be features, and should not matter."""
    metric: ScoreName = ""
    """The score whose fall is measured (docs/gates.md); by default `auc`, `auc_ovr` or `r2`, by the task."""
    lower_is_better: bool = False
    """Of a function of one's own, that it measures a loss; other scores are known."""
    tolerance: float = Field(default=0.005, ge=0)
    """The fall of the score up to which an unrelated feature does not matter."""
    rows: int = Field(default=1000, ge=50)
    """Held-out rows that are looked at, drawn at random when there are more."""
    repeats: int = Field(default=3, ge=1, le=100)
    """How often each feature is shuffled."""
    seed: int = Field(default=0, ge=0)
    """Of the draws: the same seed finds the same."""


@dataclass(frozen=True, slots=True)
class Importance:
    """By how much the score falls when a feature is shuffled: mean and standard deviation over the repeats."""

    mean: float
    std: float


def check(config: ExplanationConfig, evidence: Evidence) -> Iterator[CheckResult]:
    """Yield a result for each column that is declared, and `largest_share`.

    Its evidence: `importance`, by feature `mean` and `std`; `metric` and its figure `before` shuffling; `rows` and
    `repeats`.
    """
    table = evidence.labelled
    for name in (*config.forbidden, *config.unrelated):
        if name not in table.rows and name not in table.features:
            known = did_you_mean(name, map(str, table.rows))
            raise CouldNotRun(f"neither the model nor its data has a column '{name}'. {known}")
    for name in config.forbidden:
        yield _forbidden(name, table)
    sample, score = _sample(config, table), evidence.score(config.metric, lower_is_better=config.lower_is_better)
    judged = Judged(evidence.candidate, sample, score, evidence.config)
    before = judged.score(sample.features)
    if np.isnan(before):
        raise CouldNotRun(f"{score.name} is not defined on {len(sample)} rows", remedy="set rows of every class aside")
    found = importance(judged, repeats=config.repeats, seed=config.seed)
    for name in config.unrelated:
        yield _unrelated(name, found.get(name), score.name, config.tolerance)
    yield _largest(config, found, (score.name, before), len(sample))


@dataclass(frozen=True, slots=True)
class Judged:
    """A model in the form that scikit-learn wants: with a method `fit`, which nobody calls, and a score."""

    model: Model
    rows: Rows
    metric: Score
    config: EvaluationConfig

    def fit(self, *_: object) -> None:
        """Do nothing: the model is fitted."""

    def score(self, features: pd.DataFrame, _: object = None) -> float:
        """Return how good the answers are when the rows have these features: the higher, the better."""
        rows = replace(self.rows, features=features)
        figure = self.metric(rows, self.model.answer(rows, self.config))
        return -figure if self.metric.lower_is_better else figure


def importance(judged: Judged, *, repeats: int, seed: int) -> dict[str, Importance]:
    """Return by feature how much the score falls."""
    from sklearn.inspection import permutation_importance  # noqa: PLC0415 - takes most of a second

    features = judged.rows.features
    found = permutation_importance(judged, features, judged.rows.labels, n_repeats=repeats, random_state=seed)
    names = map(str, features.columns)
    figures = zip(found.importances_mean.tolist(), found.importances_std.tolist(), strict=True)
    return {name: Importance(*each) for name, each in zip(names, figures, strict=True)}


def _sample(config: ExplanationConfig, table: Rows) -> Rows:
    if len(table) <= config.rows:
        return table
    chance = np.random.default_rng(config.seed)
    drawn = chance.permutation(len(table))
    if table.target.task.classifies:
        # Of each class its share, and the first rows of each: among a thousand blind ones a rare class may be missing.
        place = pd.Series(table.labels[drawn]).groupby(table.labels[drawn]).cumcount()
        size = pd.Series(table.labels[drawn]).groupby(table.labels[drawn]).transform("size")
        first = np.where(place < _LEAST_OF_CLASS, -1.0, place / size)
        drawn = drawn[np.argsort(first, kind="stable")]
    return table.take(drawn[: config.rows])


def _forbidden(name: str, table: Rows) -> CheckResult:
    used = name in table.features
    return CheckResult(
        name=name,
        verdict=Verdict.passed_if(not used),
        reason=f"{name} is {'a feature of the model' if used else 'not among the features'}",
        limit="never a feature",
        remedy=f"leave {name} out of the training features",
    )


def _unrelated(name: str, found: Importance | None, metric: str, tolerance: float) -> CheckResult:
    fall = found.mean if found else 0.0
    return CheckResult(
        name=name,
        verdict=Verdict.passed_if(fall <= tolerance),
        reason=f"shuffling {name} takes {fall:.4f} off {metric}" if found else f"{name} is not among the features",
        figure=fall,
        limit=f"at most {tolerance:g}",
        most=tolerance,
        remedy=f"find out why {name} tells of the label: it may be a leak",
    )


def _largest(
    config: ExplanationConfig, found: dict[str, Importance], before: tuple[str, float], rows: int
) -> CheckResult:
    metric, figure = before
    total = sum(max(0.0, each.mean) for each in found.values())
    first = max(found, key=lambda name: found[name].mean)
    share = max(0.0, found[first].mean) / total if total else 0.0
    return CheckResult(
        name="largest_share",
        verdict=Verdict.passed_if(total > 0 and share <= config.max_share),
        reason=(
            f"{first} has {share:.0%} of the importance, the most of {len(found)} features"
            if total
            else f"no feature matters: shuffling any leaves {metric} at {figure:.3f} or better"
        ),
        figure=share,
        limit=f"at most {config.max_share:g}",
        most=config.max_share,
        remedy=(
            f"find out whether {first} knows the label before it can be known"
            if total
            else "see whether the model was fitted, and to the right labels"
        ),
        evidence={
            "importance": {name: {"mean": each.mean, "std": each.std} for name, each in found.items()},
            "metric": metric,
            "before": figure,
            "rows": rows,
            "repeats": config.repeats,
        },
    )
