"""Whether the candidate's logged metrics are within floors and ceilings."""

from collections.abc import Iterator

from pydantic import RootModel, model_validator

from mlgates.config.declaring import Strict
from mlgates.core.gates import CheckResult, bounded
from mlgates.core.nearest import did_you_mean
from mlgates.gates.errors import CouldNotRun
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
    """Yield a result a metric. Raises `CouldNotRun` for one that training did not log."""
    logged = evidence.metrics(evidence.candidate)
    for name, bounds in config.root.items():
        if name not in logged:
            raise CouldNotRun(
                f"{evidence.candidate} has no metric '{name}'. {did_you_mean(name, logged)}",
                remedy="correct the name in gates.yml, or log the metric in training",
            )
        yield bounded(name, logged[name], least=bounds.min, most=bounds.max)
