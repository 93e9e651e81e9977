from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression

from mlgates.core.gates import CheckResult
from mlgates.evaluation.answers import Probabilities
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.rows import Rows
from mlgates.evaluation.scores import SCORES
from mlgates.evaluation.target import EvaluationConfig
from mlgates.gates.checks.explanation import ExplanationConfig, Judged, check, importance
from mlgates.gates.evidence import Evidence
from tests.unit.mlgates.gates.fakes import FakeModel, binary_rows, evidence

CHANCE = np.random.default_rng(0)
FEATURES = pd.DataFrame({name: CHANCE.normal(0, 1, 1500) for name in ("glucose", "age", "id")})
LABELS = (FEATURES["glucose"] + FEATURES["age"] + CHANCE.normal(0, 0.5, 1500) > 0).to_numpy().astype(np.int64)


class Weighing(FakeModel):
    """Sums the features by weights."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        super().__init__()
        self._weights = weights

    def chances(self, features: pd.DataFrame) -> Probabilities:
        total = sum(weight * features[name] for name, weight in self._weights.items())
        return np.asarray(1 / (1 + np.exp(-total)), dtype=np.float64)


def of(table: Rows, **weights: float) -> Evidence:
    return replace(evidence([0], [0]), the_candidate=Weighing(weights), fetch_held_out=lambda _: table)


def judged(declared: ExplanationConfig | None = None, **weights: float) -> dict[str, CheckResult]:
    table = binary_rows(LABELS, FEATURES[list(weights)], FEATURES)
    return {result.name: result for result in check(declared or ExplanationConfig(), of(table, **weights))}


def test_a_feature_without_weight_has_no_importance() -> None:
    found = judged(glucose=1, age=1, id=0)["largest_share"].evidence["importance"]
    assert found["id"] == {"mean": 0, "std": 0}
    assert found["glucose"]["mean"] > 0.1


@given(st.floats(0.1, 1), st.floats(1.5, 5))
def test_more_weight_is_more_importance(less: float, factor: float) -> None:
    found = judged(glucose=less * factor, age=less)["largest_share"].evidence["importance"]
    assert found["glucose"]["mean"] > found["age"]["mean"]


def test_the_figures_are_scikit_learns() -> None:
    fitted = LogisticRegression().fit(FEATURES, LABELS)
    theirs = permutation_importance(fitted, FEATURES, LABELS, scoring="roc_auc", n_repeats=20, random_state=0)
    model = Weighing(dict(zip(map(str, FEATURES), fitted.coef_[0], strict=True)))
    judged = Judged(model, binary_rows(LABELS, FEATURES), SCORES["auc"], EvaluationConfig(label="ill"))
    ours = importance(judged, repeats=20, seed=0)
    assert [each.mean for each in ours.values()] == pytest.approx(theirs.importances_mean)
    assert [each.std for each in ours.values()] == pytest.approx(theirs.importances_std)


def test_one_feature_that_carries_everything_does_not_hold() -> None:
    assert not judged(glucose=1, age=0.01)["largest_share"].holds
    assert judged(glucose=1, age=1)["largest_share"].holds


def test_a_model_that_no_feature_matters_to_does_not_hold() -> None:
    found = judged(glucose=0, age=0)["largest_share"]
    assert not found.holds
    assert "no feature matters" in found.reason


def test_a_forbidden_feature_does_not_hold_even_without_weight() -> None:
    declared = ExplanationConfig(forbidden=["id"])
    assert not judged(declared, glucose=1, age=1, id=0)["id"].holds
    assert judged(declared, glucose=1, age=1)["id"].holds


def test_an_unrelated_feature_may_be_there_and_not_matter() -> None:
    declared = ExplanationConfig(unrelated=["id"])
    assert judged(declared, glucose=1, age=1, id=0)["id"].holds
    assert judged(declared, glucose=1, age=1)["id"].holds


def test_an_unrelated_feature_that_matters_does_not_hold() -> None:
    declared: dict[str, Any] = {"unrelated": ["age"]}
    found = judged(ExplanationConfig(**declared), glucose=1, age=1)["age"]
    assert not found.holds
    assert "off auc" in found.reason


def test_a_guarded_column_that_nobody_has_is_asked_back() -> None:
    with pytest.raises(CouldNotRun, match=r"'idd'\. Did you mean 'id'"):
        judged(ExplanationConfig(forbidden=["idd"]), glucose=1, age=1)


def test_of_many_rows_a_sample_is_looked_at() -> None:
    assert judged(ExplanationConfig(rows=100), glucose=1, age=1)["largest_share"].evidence["rows"] == 100


def test_few_rows_are_all_looked_at() -> None:
    assert judged(ExplanationConfig(rows=2000), glucose=1, age=1)["largest_share"].evidence["rows"] == 1500


def test_the_same_seed_finds_the_same() -> None:
    one, other = (judged(glucose=1, age=1)["largest_share"].evidence for _ in range(2))
    assert one == other


def test_a_rare_class_is_among_the_rows_that_are_looked_at() -> None:
    labels = np.zeros(20_000, dtype=np.int64)
    labels[::1000] = 1
    features = pd.DataFrame({"glucose": labels + CHANCE.normal(0, 0.1, 20_000), "age": CHANCE.normal(0, 1, 20_000)})
    found = of(binary_rows(labels, features), glucose=1, age=0.5)
    results = {each.name: each for each in check(ExplanationConfig(rows=100), found)}
    assert results["largest_share"].evidence["rows"] == 100
