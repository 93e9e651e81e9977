"""Candidates for a gate from local folders, without a workspace: what a training job would have left there."""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import mlflow.sklearn
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec

from diabetes import saving
from diabetes.evaluation import Metrics
from diabetes.schema import FEATURES, LABEL
from diabetes.split import split
from diabetes.training import Settings, train
from mlgates.contract.model_folder import read_contract
from mlgates.core.gates import CheckResult
from mlgates.evaluation.model import Model
from mlgates.evaluation.rows import Rows, rows_of
from mlgates.evaluation.target import EvaluationConfig, find_target
from mlgates.gates.cache import Cache
from mlgates.gates.declaration import Gate, read_gates
from mlgates.gates.evidence import Evidence
from mlgates.gates.gate import judge
from mlgates.gates.resolution import Resolution

ROOT = Path(__file__).parents[3]
CONFIG = EvaluationConfig(label=LABEL)


@dataclass(frozen=True)
class Candidate:
    """A model on disk, with what is known of its training."""

    model: Model
    data: pd.DataFrame
    """The table that it was trained on."""
    reproduced: Mapping[str, float] = field(default_factory=dict)
    """What a second training of it scored."""


@functools.cache
def prod_gate() -> Gate:
    """Return the prod gate that the project declares."""
    return read_gates(ROOT / "mlops" / "gates.yml", "mlops/gates.yml").gates["prod"]


def trained(data: pd.DataFrame, folder: Path, settings: Settings) -> Candidate:
    """Train by the project's own code, and save the model below `folder`."""
    outcome = train(_numbers(data), settings)
    saving.save(outcome.model, folder)
    return candidate(folder, data, outcome.metrics)


def candidate(folder: Path, data: pd.DataFrame, metrics: Metrics) -> Candidate:
    """Return the model that lies in `folder`, as one that was trained twice with the same metrics."""
    scores = metrics.as_dict()
    tags = {f"metric.{name}": repr(value) for name, value in scores.items()}
    return Candidate(Model(folder.name, folder, sha256=folder.name, tags=tags), data, scores)


def save(model: object, folder: Path, features: Sequence[str]) -> None:
    """Save a scikit-learn model of these features as the project's own are saved."""
    mlflow.sklearn.save_model(
        model,
        str(folder),
        signature=ModelSignature(
            inputs=Schema([ColSpec(DataType.double, name) for name in features]),
            outputs=Schema([TensorSpec(np.dtype(np.int64), (-1,))]),
        ),
        pip_requirements=saving.requirements(),
        skops_trusted_types=list(saving.TRUSTED_TYPES),
    )


def nothing_yanked(_: Model) -> Resolution:
    """Stand for a package index that has everything and withdrew nothing."""
    return Resolution(7, yanked={})


def verdicts(
    challenger: Candidate,
    champion: Candidate | None,
    cache: Path,
    resolve: Callable[[Model], Resolution] = nothing_yanked,
) -> list[CheckResult]:
    """Return what the prod gate says of `challenger`."""
    evidence = Evidence(
        root=ROOT,
        config=CONFIG,
        the_candidate=challenger.model,
        champion=champion.model if champion else None,
        fetch_held_out=lambda model: _held_out(challenger, model),
        fetch_training_set=lambda model: (
            challenger.data if champion is None or model is challenger.model else champion.data
        ),
        fetch_reproduced_metrics=lambda: challenger.reproduced,
        fetch_resolution=resolve,
        cache=Cache(cache),
    )
    return [result for planned in prod_gate().checks for result in judge(planned, evidence)]


def stopped_by(results: Sequence[CheckResult]) -> set[str]:
    """Return the kinds of check for which the gate fails."""
    return {result.kind for result in results if not result.verdict.holds}


def lines(results: Sequence[CheckResult]) -> Iterator[str]:
    """Yield each result that does not hold, for the message of a test that fails."""
    return (f"{result.name} {result.summary}" for result in results if not result.verdict.holds)


def held_out_rows(rows: int) -> list[int]:
    """Return the rows that training sets aside in a table of so many rows."""
    numbers = pd.DataFrame({name: np.zeros(rows) for name in FEATURES} | {LABEL: np.arange(rows) % 2})
    defaults = Settings()
    return [
        int(row) for row in split(numbers, test_size=defaults.test_size, seed=defaults.split_seed).test.features.index
    ]


def _held_out(challenger: Candidate, model: Model) -> Rows:
    drawn = challenger.data.iloc[held_out_rows(len(challenger.data))]
    return rows_of(drawn, find_target(CONFIG, challenger.data[LABEL]), read_contract(model.folder), CONFIG)


def _numbers(data: pd.DataFrame) -> pd.DataFrame:
    return data[[*FEATURES, LABEL]].astype(dict.fromkeys(FEATURES, "float64"))
