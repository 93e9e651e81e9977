"""Whether the candidate's logged metrics are within floors and ceilings."""

import math
from collections.abc import Iterator, Mapping

from pydantic import RootModel, model_validator

from mlgates.config.declaring import Strict
from mlgates.core.gates import CheckResult, bounded
from mlgates.core.nearest import did_you_mean
from mlgates.evaluation.errors import CouldNotRun
from mlgates.gates.evidence import Evidence


class Bounds(Strict):
    """A floor, a ceiling, or both."""

    min: float | None = None
    """The floor: the figure itself is allowed."""
    max: float | None = None
    """The ceiling: the figure itself is allowed."""

    @model_validator(mode="after")
    def _is_a_range(self) -> "Bounds":
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is over max {self.max:g}")
        return self


class MetricsConfig(RootModel[dict[str, Bounds]]):
    """`auc: {min: 0.8}`: by the name of a metric, what it must be."""


def check(config: MetricsConfig, evidence: Evidence) -> Iterator[CheckResult]:
    """Yield a result a metric: what training logged under its name, else the score of the held-out rows.

    A metric is one that training logs, or any score of docs/gates.md. Raises `CouldNotRun` for what is neither.
    """
    logged = evidence.metrics(evidence.candidate)
    for name, bounds in config.root.items():
        yield bounded(name, _figure(name, logged, evidence), least=bounds.min, most=bounds.max)


def _figure(name: str, logged: Mapping[str, float], evidence: Evidence) -> float:
    if name in logged:
        return logged[name]
    try:
        score = evidence.score(name)
    except CouldNotRun as error:
        raise CouldNotRun(
            f"{evidence.candidate} has no metric '{name}', and {error}. {did_you_mean(name, logged)}",
            remedy="correct the name in gates.yml, or log the metric in training",
        ) from error
    figure = score(evidence.labelled, evidence.answers(evidence.candidate))
    if not math.isfinite(figure):
        raise CouldNotRun(f"'{name}' of the held-out rows is {figure}", remedy="set rows of every class aside")
    return figure
