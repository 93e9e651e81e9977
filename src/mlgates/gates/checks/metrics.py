"""Whether the candidate's logged metrics are within floors and ceilings."""

from collections.abc import Iterator

from pydantic import RootModel

from mlgates.core.nearest import did_you_mean
from mlgates.gates.declared import Bounds
from mlgates.gates.errors import CouldNotRun
from mlgates.gates.evidence import Evidence
from mlgates.gates.findings import Finding, bounded


class Declared(RootModel[dict[str, Bounds]]):
    """`auc: {min: 0.8}`: by the name of a metric, what it must be."""


def check(declared: Declared, evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding a metric. Raises `CouldNotRun` for one that training did not log."""
    logged = evidence.metrics(evidence.candidate)
    for name, bounds in declared.root.items():
        if name not in logged:
            raise CouldNotRun(
                f"{evidence.candidate} has no metric '{name}'. {did_you_mean(name, logged)}",
                remedy="correct the name in gates.yml, or log the metric in training",
            )
        yield bounded(name, logged[name], least=bounds.min, most=bounds.max)
