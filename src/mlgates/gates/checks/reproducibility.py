"""Whether training again from the same source, data and environment gives the same metrics."""

from collections.abc import Iterator

from pydantic import Field

from mlgates.config.declaring import Strict
from mlgates.core.gates import CheckResult, Verdict
from mlgates.evaluation.errors import CouldNotRun
from mlgates.gates.evidence import Evidence


class ReproducibilityConfig(Strict):
    """How far the metrics of two trainings may be apart."""

    tolerance: float = Field(default=1e-6, ge=0)
    """For each metric, in its own unit."""


def check(config: ReproducibilityConfig, evidence: Evidence) -> Iterator[CheckResult]:
    """Yield one result: the metric that differs most. Evidence: `first` and `second`, the metrics by name."""
    second = evidence.fetch_reproduced_metrics()
    if second is None:
        raise CouldNotRun(
            f"{evidence.candidate} was trained once only",
            remedy="train a second time from the same source and data: a job with the tag reproduces=JOB",
        )
    first = evidence.metrics(evidence.candidate)
    if first.keys() != second.keys() or not first:
        only = ", ".join(sorted(first.keys() ^ second.keys())) or "none at all"
        raise CouldNotRun(f"the two trainings logged different metrics: {only}", remedy="log the same in every run")
    differences = {name: abs(first[name] - second[name]) for name in first}
    most = max(differences, key=differences.__getitem__)
    # Written so that NaN, which compares with nothing, does not hold.
    holds = all(difference <= config.tolerance for difference in differences.values())
    yield CheckResult(
        name="",
        verdict=Verdict.passed_if(holds),
        reason=(
            f"{len(first)} metrics of two trainings differ by {differences[most]:.3g} at most"
            if holds
            else f"{most} was {first[most]:.6g} at first and {second[most]:.6g} the second time"
        ),
        figure=differences[most],
        limit=f"at most {config.tolerance:g}",
        most=config.tolerance,
        remedy="hand every source of chance a seed (estimator, split, sampling), and fix the order of the rows",
        evidence={"first": dict(first), "second": dict(second)},
    )
