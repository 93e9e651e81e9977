from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.config.declaring import parsed
from mlgates.core.errors import ConfigurationError
from mlgates.core.gates import CheckResult
from mlgates.evaluation.errors import CouldNotRun
from mlgates.gates.checks.fairness import FairnessConfig, bands, check
from tests.unit.mlgates.gates.fakes import evidence

AGES = np.repeat([20.0, 50.0, 80.0], [100, 100, 10])
LABELS = np.arange(210) % 2
KNOWING = LABELS * 0.8 + 0.1
edges = st.lists(st.integers(-50, 50), min_size=1, max_size=6, unique=True).map(
    lambda drawn: [float(x) for x in sorted(drawn)]
)


def judged(probabilities: np.ndarray, **declared: Any) -> CheckResult:
    settings = FairnessConfig(**{"groups": {"Age": [30, 70]}, "min_rows": 50, **declared})
    (result,) = check(settings, evidence(LABELS, probabilities, rows={"Age": AGES}))
    return result


@given(st.lists(st.floats(-100, 100), min_size=1), edges)
def test_every_value_is_in_the_band_that_its_name_says(values: list[float], between: list[float]) -> None:
    for value, name in zip(values, bands(pd.Series(values), between), strict=True):
        place = sum(value >= edge for edge in between)
        first, last = f"under {between[0]:g}", f"{between[-1]:g} and over"
        inner = [f"{low:g} to under {high:g}" for low, high in pairwise(between)]
        assert name == [first, *inner, last][place]


def test_a_missing_value_is_in_a_band_of_its_own() -> None:
    assert list(bands(pd.Series([1.0, np.nan]), [0.0])) == ["0 and over", "no value"]


def test_groups_that_are_served_alike_hold() -> None:
    assert judged(KNOWING).holds


@pytest.mark.parametrize("metric", ["accuracy", "auc", "brier", "precision", "recall"])
def test_a_group_that_is_served_worse_does_not_hold(metric: str) -> None:
    assert not judged(np.where(AGES == 50, 1 - KNOWING, KNOWING), metric=metric).holds


def test_the_reason_names_the_best_and_the_worst_group() -> None:
    assert (
        "1.000 for Age under 30 and 0.000 for 30 to under 70"
        in judged(np.where(AGES == 50, 1 - KNOWING, KNOWING)).reason
    )


def test_a_group_of_few_rows_is_reported_and_left_out() -> None:
    found = judged(np.where(AGES == 80, 1 - KNOWING, KNOWING))
    assert found.holds
    assert found.evidence["left_out"] == {"70 and over": 10}
    assert "left out: 70 and over (10 rows)" in found.reason


def test_a_column_that_is_no_feature_can_make_groups() -> None:
    assert judged(KNOWING, groups={"Age": [30]}).evidence["groups"].keys() == {"under 30", "30 and over"}


def test_one_group_alone_cannot_be_compared() -> None:
    with pytest.raises(CouldNotRun, match="1 groups of Age have 50 held-out rows"):
        judged(KNOWING, groups={"Age": [90]})


def test_a_group_without_both_classes_has_no_auc_and_is_left_out() -> None:
    settings = FairnessConfig(groups={"Age": [30, 70]}, min_rows=5)
    (found,) = check(settings, evidence(np.where(AGES == 80, 0, LABELS), KNOWING, rows={"Age": AGES}))
    assert "70 and over" in found.evidence["left_out"]


def test_a_column_that_is_not_there_is_asked_back() -> None:
    with pytest.raises(CouldNotRun, match=r"no column 'Aeg'\. Did you mean 'Age'"):
        judged(KNOWING, groups={"Aeg": [30]})


@pytest.mark.parametrize("wrong", [[], [30, 20], [30, 30]])
def test_edges_must_rise(wrong: list[float]) -> None:
    with pytest.raises(ConfigurationError, match="the edges of Age must rise"):
        parsed("here", FairnessConfig, {"groups": {"Age": wrong}})


def test_groups_come_from_the_lowest_band_to_the_highest() -> None:
    found = judged(KNOWING, min_rows=5)
    assert list(found.evidence["groups"]) == ["under 30", "30 to under 70", "70 and over"]


class TestEachValue:
    """Groups by the values of a column of texts."""

    SEX = np.where(np.arange(210) % 3 == 0, "f", "m").astype(object)

    def judged(self, probabilities: np.ndarray, sex: object, **declared: Any) -> CheckResult:
        config = FairnessConfig(groups={"sex": "each"}, min_rows=20, **declared)
        (result,) = check(config, evidence(LABELS, probabilities, rows={"sex": sex}))
        return result

    def test_are_compared(self) -> None:
        assert self.judged(KNOWING, self.SEX).holds
        assert not self.judged(np.where(self.SEX == "f", 1 - KNOWING, KNOWING), self.SEX).holds

    def test_without_a_value_are_a_group_of_their_own(self) -> None:
        sex = pd.Series(self.SEX).mask(np.arange(210) % 7 == 0).to_numpy()
        assert list(self.judged(KNOWING, sex).evidence["groups"]) == ["f", "m", "no value"]

    def test_of_texts_have_no_bands(self) -> None:
        with pytest.raises(CouldNotRun, match="sex holds no numbers, and bands are given") as stopped:
            next(check(FairnessConfig(groups={"sex": [1.0]}), evidence(LABELS, KNOWING, rows={"sex": self.SEX})))
        assert stopped.value.remedy == "write sex: each in gates.yml"

    def test_of_a_category_column_are_values(self) -> None:
        sex = pd.Series(self.SEX).mask(np.arange(210) % 7 == 0).astype("category")
        assert list(self.judged(KNOWING, sex).evidence["groups"]) == ["f", "m", "no value"]

    def test_that_are_left_out_are_not_scored(self) -> None:
        sex = self.SEX.copy()
        sex[0] = "x"
        assert self.judged(KNOWING, sex, metric="neg_log_loss").evidence["left_out"] == {"x": 1}
