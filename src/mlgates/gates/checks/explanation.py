"""What the model's answers rest on: permutation importance, and whether that is what they should rest on.

The values of one feature are shuffled among held-out rows, and the AUC falls by what the model drew from that feature
(Breiman, Random Forests, 2001). scikit-learn's `permutation_importance` does it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pydantic import Field

from mlgates.config.declaring import Strict
from mlgates.core.gates import CheckResult, Verdict
from mlgates.core.nearest import did_you_mean
from mlgates.gates.errors import CouldNotRun
from mlgates.gates.evidence import Evidence, Model, Table
from mlgates.gates.scores import Labels, auc


class ExplanationConfig(Strict):
    """What the model may rest on."""

    max_share: float = Field(default=0.9, gt=0, le=1)
    """The share of all importance that one feature may have."""
    forbidden: list[str] = Field(default_factory=list)
    """Columns that may not be features at all, such as an identifier, which a model can learn by heart."""
    unrelated: list[str] = Field(default_factory=list)
    """Columns that may be features, and should not matter."""
    tolerance: float = Field(default=0.005, ge=0)
    """The fall of the AUC up to which an unrelated feature does not matter."""
    rows: int = Field(default=1000, ge=50)
    """Held-out rows that are looked at, drawn at random when there are more."""
    repeats: int = Field(default=3, ge=1, le=100)
    """How often each feature is shuffled."""
    seed: int = Field(default=0, ge=0)
    """Of the draws: the same seed finds the same."""


@dataclass(frozen=True, slots=True)
class Importance:
    """By how much the AUC falls when a feature is shuffled: mean and standard deviation over the repeats."""

    mean: float
    std: float


def check(config: ExplanationConfig, evidence: Evidence) -> Iterator[CheckResult]:
    """Yield a result for each column that is declared, and `largest_share`.

    Its evidence: `importance`, by feature `mean` and `std`; `auc` before shuffling; `rows` and `repeats`.
    """
    table = evidence.held_out
    for name in (*config.forbidden, *config.unrelated):
        if name not in table.rows and name not in table.features:
            known = did_you_mean(name, map(str, table.rows))
            raise CouldNotRun(f"neither the model nor its data has a column '{name}'. {known}")
    for name in config.forbidden:
        yield _forbidden(name, table)
    sample = _sample(config, table)
    before = auc(sample.labels, sample.labels, evidence.candidate.probabilities(sample.features))
    found = importance(evidence.candidate, sample, repeats=config.repeats, seed=config.seed)
    for name in config.unrelated:
        yield _unrelated(name, found.get(name), config.tolerance)
    yield _largest(config, found, before, len(sample.labels))


def importance(model: Model, table: Table, *, repeats: int, seed: int) -> dict[str, Importance]:
    """Return by feature how much the AUC falls."""
    from sklearn.inspection import permutation_importance  # noqa: PLC0415 - takes most of a second

    found = permutation_importance(
        _AsEstimator(model), table.features, table.labels, scoring=_auc_of, n_repeats=repeats, random_state=seed
    )
    names = map(str, table.features.columns)
    figures = zip(found.importances_mean.tolist(), found.importances_std.tolist(), strict=True)
    return {name: Importance(*each) for name, each in zip(names, figures, strict=True)}


@dataclass(frozen=True, slots=True)
class _AsEstimator:
    """A model in the form that scikit-learn wants: with a method `fit`, which nobody calls."""

    model: Model

    def fit(self, *_: object) -> None:
        """Do nothing: the model is fitted."""


def _auc_of(estimator: _AsEstimator, features: pd.DataFrame, labels: Labels) -> float:
    return auc(labels, labels, estimator.model.probabilities(features))


def _sample(config: ExplanationConfig, table: Table) -> Table:
    if len(table.labels) <= config.rows:
        return table
    rows = np.random.default_rng(config.seed).choice(len(table.labels), config.rows, replace=False)
    return Table(table.features.iloc[rows], table.labels[rows])


def _forbidden(name: str, table: Table) -> CheckResult:
    used = name in table.features
    return CheckResult(
        name=name,
        verdict=Verdict.passed_if(not used),
        reason=f"{name} is {'a feature of the model' if used else 'not among the features'}",
        limit="never a feature",
        remedy=f"leave {name} out of the training features",
    )


def _unrelated(name: str, found: Importance | None, tolerance: float) -> CheckResult:
    fall = found.mean if found else 0.0
    return CheckResult(
        name=name,
        verdict=Verdict.passed_if(fall <= tolerance),
        reason=f"shuffling {name} takes {fall:.4f} off the AUC" if found else f"{name} is not among the features",
        figure=fall,
        limit=f"at most {tolerance:g}",
        most=tolerance,
        remedy=f"find out why {name} tells of the label: it may be a leak",
    )


def _largest(config: ExplanationConfig, found: dict[str, Importance], before: float, rows: int) -> CheckResult:
    total = sum(max(0.0, each.mean) for each in found.values())
    first = max(found, key=lambda name: found[name].mean)
    share = max(0.0, found[first].mean) / total if total else 0.0
    return CheckResult(
        name="largest_share",
        verdict=Verdict.passed_if(total > 0 and share <= config.max_share),
        reason=(
            f"{first} has {share:.0%} of the importance, the most of {len(found)} features"
            if total
            else f"no feature matters: shuffling any leaves the AUC at {before:.3f} or better"
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
            "auc": before,
            "rows": rows,
            "repeats": config.repeats,
        },
    )
