"""Whether the probabilities can be believed: of the rows given 30 %, are 30 % positive?

By the expected calibration error (Naeini, Cooper and Hauskrecht, 2015): rows are put into bins of equal width by their
probability, and the distance between mean probability and share of positives is averaged over the bins by their rows.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from pydantic import Field

from mlgates.config.declaring import Strict
from mlgates.core.gates import CheckResult, Verdict
from mlgates.evaluation.answers import Probabilities
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.target import Labels, Task
from mlgates.gates.evidence import Evidence


class CalibrationConfig(Strict):
    """How far probabilities may be from what happens."""

    max_error: float = Field(default=0.05, gt=0, lt=1)
    """The expected calibration error, 0 to 1."""
    bins: int = Field(default=10, ge=2, le=100)
    """How many bins of equal width the probabilities are put into."""


@dataclass(frozen=True, slots=True)
class Bin:
    """The rows whose probability is from `low` to under `high` (of the last bin: to 1 itself)."""

    low: float
    high: float
    rows: int
    predicted: float
    """The mean probability."""
    observed: float
    """The share of positives."""


def check(config: CalibrationConfig, evidence: Evidence) -> Iterator[CheckResult]:
    """Yield one result, of a multiclass task one a class: its probability, and whether it is that class.

    Evidence: `bins`, each `low`, `high`, `rows`, `predicted`, `observed`; empty bins left out.
    """
    if evidence.labelled.target.task is Task.BINARY:
        probabilities = evidence.probabilities(evidence.candidate)
        yield _result(config, "", "positive", evidence.held_out.labels, probabilities)
        return
    answers = evidence.answers(evidence.candidate)
    if answers.probabilities is None:
        raise CouldNotRun(
            f"{evidence.candidate} gives no probabilities that could be calibrated",
            remedy="leave the check out, or use a classifier with predict_proba",
        )
    for number, name in enumerate(evidence.target.classes):
        labels = (evidence.held_out.labels == number).astype(np.int64)
        yield _result(config, str(name), str(name), labels, answers.probabilities[:, number])


def _result(
    config: CalibrationConfig, name: str, what: str, labels: Labels, probabilities: Probabilities
) -> CheckResult:
    found = bins_of(labels, probabilities, config.bins)
    error = expected_error(found)
    worst = max(found, key=lambda each: each.rows * abs(each.predicted - each.observed))
    return CheckResult(
        name=name,
        verdict=Verdict.passed_if(error <= config.max_error),
        reason=(
            f"probabilities are off by {error:.3f} on average; of the {worst.rows} rows given {worst.predicted:.0%} "
            f"on average, {worst.observed:.0%} are {what}"
        ),
        figure=error,
        limit=f"at most {config.max_error:g}",
        most=config.max_error,
        remedy="calibrate the model (scikit-learn's CalibratedClassifierCV), or weaken what makes it overconfident",
        evidence={"bins": [asdict(each) for each in found]},
    )


def bins_of(labels: Labels, probabilities: Probabilities, count: int) -> list[Bin]:
    """Return the bins that have rows, `count` of equal width at most."""
    places = np.minimum((probabilities * count).astype(np.int64), count - 1)
    return [
        Bin(
            low=number / count,
            high=(number + 1) / count,
            rows=int(inside.sum()),
            predicted=float(probabilities[inside].mean()),
            observed=float(labels[inside].mean()),
        )
        for number in range(count)
        if (inside := places == number).any()
    ]


def expected_error(bins: list[Bin]) -> float:
    """Return the mean distance of predicted and observed, weighted by rows: 0 to 1."""
    rows = sum(each.rows for each in bins)
    return sum(each.rows * abs(each.predicted - each.observed) for each in bins) / rows
