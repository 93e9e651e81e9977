"""Reads mlops/gates.yml: for each gate, which checks must hold, and which only warn."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from mlgates.config.declaring import parsed, read_yaml
from mlgates.core.errors import ConfigurationError
from mlgates.core.nearest import did_you_mean
from mlgates.evaluation.target import EvaluationConfig
from mlgates.gates.checks import CHECK_TYPES

GATES = ("qa", "dev", "prod")
EVALUATION = "evaluation"
WARN_ONLY = "warn_only"
"""The key of a gate that lists types of check whose failures warn, and do not fail."""


@dataclass(frozen=True, slots=True)
class CheckConfig:
    """One check of a gate."""

    kind: str
    config: BaseModel
    warn_only: bool


@dataclass(frozen=True, slots=True)
class Gate:
    """What must hold for a gate to pass."""

    name: str
    checks: tuple[CheckConfig, ...]

    @property
    def wants_model(self) -> bool:
        """False for a gate whose checks all do without a candidate."""
        return any(CHECK_TYPES[planned.kind].wants_model for planned in self.checks)


@dataclass(frozen=True, slots=True)
class Gates:
    """All that gates.yml declares."""

    evaluation: EvaluationConfig
    gates: Mapping[str, Gate]


def read_gates(file: Path, shown: str) -> Gates:
    """Return what `file` declares; `shown` is its name in messages.

    Raises `ConfigurationError` for the first thing wrong with it: where it is, and what would be right.
    """
    content = read_yaml(file, shown, "a project declares its gates in it (docs/gates.md)")
    if not isinstance(content, dict) or not content:
        raise ConfigurationError(f"{shown}: a gate is a key ({', '.join(GATES)}) with its checks under it")
    if EVALUATION not in content:
        raise ConfigurationError(
            f"{shown}: '{EVALUATION}' is missing: say which column is predicted ({EVALUATION}.label)"
        )
    evaluation = parsed(f"{shown}, {EVALUATION}", EvaluationConfig, content[EVALUATION])
    declared = {name: gate for name, gate in content.items() if name != EVALUATION}
    for name in declared:
        if name not in GATES:
            raise ConfigurationError(
                f"{shown}: there is no gate '{name}'. {did_you_mean(str(name), (*GATES, EVALUATION))}"
            )
    return Gates(evaluation, {name: _gate(name, checks, shown) for name, checks in declared.items()})


def _gate(name: str, declared: Any, shown: str) -> Gate:
    if not isinstance(declared, dict) or not declared:
        raise ConfigurationError(f"{shown}, {name}: a gate has checks. Known: {', '.join(sorted(CHECK_TYPES))}")
    warn = declared.get(WARN_ONLY, [])
    if not isinstance(warn, list) or not all(isinstance(kind, str) for kind in warn):
        raise ConfigurationError(f"{shown}, {name}.{WARN_ONLY}: a list of checks")
    kinds = {kind: settings for kind, settings in declared.items() if kind != WARN_ONLY}
    for kind in kinds:
        if kind not in CHECK_TYPES:
            raise ConfigurationError(
                f"{shown}, {name}: there is no check '{kind}'. {did_you_mean(str(kind), CHECK_TYPES)}"
            )
    for kind in warn:
        if kind not in kinds:
            raise ConfigurationError(
                f"{shown}, {name}.{WARN_ONLY}: '{kind}' is not among this gate's checks. {did_you_mean(kind, kinds)}"
            )
    return Gate(
        name,
        tuple(
            CheckConfig(
                kind, parsed(f"{shown}, {name}.{kind}", CHECK_TYPES[kind].config, settings), warn_only=kind in warn
            )
            for kind, settings in kinds.items()
        ),
    )
