"""The types of check, by the names that gates.yml uses. A new one is a file here and a line below."""

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
class CheckType:
    """A type of check: its settings in gates.yml, and the function that looks."""

    config: type[BaseModel]
    check: Callable[[Any, Evidence], Iterator[Finding]]
    """Takes the settings and the evidence; raises `CouldNotRun` when that is not there."""
    wants_model: bool = True
    """False for a check that is about a commit."""


CHECK_TYPES: Mapping[str, CheckType] = MappingProxyType(
    {
        "suites": CheckType(suites.SuitesConfig, suites.check, wants_model=False),
        "metrics": CheckType(metrics.MetricsConfig, metrics.check),
        "champion": CheckType(champion.ChampionConfig, champion.check),
        "fairness": CheckType(fairness.FairnessConfig, fairness.check),
        "explanation": CheckType(explanation.ExplanationConfig, explanation.check),
        "calibration": CheckType(calibration.CalibrationConfig, calibration.check),
        "reproducibility": CheckType(reproducibility.ReproducibilityConfig, reproducibility.check),
        "latency": CheckType(latency.LatencyConfig, latency.check),
        "size": CheckType(size.SizeConfig, size.check),
        "signature": CheckType(signature.SignatureConfig, signature.check),
        "data": CheckType(data.DataConfig, data.check),
        "drift": CheckType(drift.DriftConfig, drift.check),
        "supply_chain": CheckType(supply_chain.SupplyChainConfig, supply_chain.check),
    }
)
