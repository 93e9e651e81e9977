"""The kinds of check, by the names that gates.yml uses. A new kind is a file here and a line below."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from mlgates.gates.checks import (
    calibration,
    champion,
    data,
    drift,
    explanation,
    fairness,
    latency,
    metrics,
    reproducibility,
    signature,
    size,
    suites,
    supply_chain,
)
from mlgates.gates.evidence import Evidence
from mlgates.gates.findings import Finding


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of check: what may be declared of it, and the function that looks."""

    declared: type[BaseModel]
    check: Callable[[Any, Evidence], Iterator[Finding]]
    """Takes what was declared and the evidence; raises `CouldNotRun` when that is not there."""
    wants_model: bool = True
    """False for a check that is about a commit."""


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "suites": Kind(suites.Declared, suites.check, wants_model=False),
        "metrics": Kind(metrics.Declared, metrics.check),
        "champion": Kind(champion.Declared, champion.check),
        "fairness": Kind(fairness.Declared, fairness.check),
        "explanation": Kind(explanation.Declared, explanation.check),
        "calibration": Kind(calibration.Declared, calibration.check),
        "reproducibility": Kind(reproducibility.Declared, reproducibility.check),
        "latency": Kind(latency.Declared, latency.check),
        "size": Kind(size.Declared, size.check),
        "signature": Kind(signature.Declared, signature.check),
        "data": Kind(data.Declared, data.check),
        "drift": Kind(drift.Declared, drift.check),
        "supply_chain": Kind(supply_chain.Declared, supply_chain.check),
    }
)
