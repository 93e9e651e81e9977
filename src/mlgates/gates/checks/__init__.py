"""The types of check, by the names that gates.yml uses: those of mlgates, and those that other packages register."""

from collections.abc import Mapping
from types import MappingProxyType

from mlgates.gates.check_types import CheckType, CheckTypes
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

BUILT_IN: Mapping[str, CheckType] = MappingProxyType(
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
"""A new one of mlgates is a file here and a line above."""

CHECK_TYPES: Mapping[str, CheckType] = CheckTypes(BUILT_IN)
