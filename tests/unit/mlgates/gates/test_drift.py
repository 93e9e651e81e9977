from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ks_2samp

from mlgates.core.gates import CheckResult
from mlgates.gates.checks.drift import DriftConfig, check, drift, stability_index
from mlgates.gates.evidence import Evidence
from tests.unit.mlgates.gates.fakes import FakeModel, evidence

samples = arrays(np.float64, st.integers(5, 60), elements=st.floats(-1e6, 1e6, width=32))
shares = (
    arrays(np.float64, 8, elements=st.floats(0, 1)).filter(lambda drawn: drawn.sum() > 0.1).map(lambda x: x / x.sum())
)
NORMAL = np.random.default_rng(0).normal(0, 1, 2000)


@given(samples)
def test_a_sample_does_not_drift_from_itself(sample: np.ndarray) -> None:
    found = drift(sample, sample.copy(), 10)
    assert (found.psi, found.ks) == (0.0, 0.0)


@given(samples, samples)
def test_both_figures_are_never_negative(one: np.ndarray, other: np.ndarray) -> None:
    found = drift(one, other, 10)
    assert found.psi >= 0
    assert 0 <= found.ks <= 1


@given(samples, samples)
def test_the_statistic_is_the_same_from_either_side(one: np.ndarray, other: np.ndarray) -> None:
    assert drift(one, other, 10).ks == pytest.approx(drift(other, one, 10).ks)


@given(samples, samples)
def test_the_statistic_is_scipys(one: np.ndarray, other: np.ndarray) -> None:
    assert drift(one, other, 10).ks == pytest.approx(ks_2samp(one, other, method="asymp").statistic)


@given(shares, shares)
def test_the_index_is_the_same_from_either_side(one: np.ndarray, other: np.ndarray) -> None:
    assert stability_index(one, other) == pytest.approx(stability_index(other, one))


@given(samples, samples)
def test_the_shares_of_each_side_add_up_to_all(one: np.ndarray, other: np.ndarray) -> None:
    found = drift(one, other, 10)
    assert (sum(found.champion), sum(found.candidate)) == pytest.approx((1, 1))
    assert len(found.champion) == len(found.candidate) == len(found.edges) + 1


@given(st.floats(0.2, 1.5), st.floats(0.1, 1.5))
def test_a_larger_shift_is_a_larger_drift(shift: float, further: float) -> None:
    near, far = (drift(NORMAL, NORMAL + by, 10) for by in (shift, shift + further))
    assert near.psi < far.psi
    assert near.ks < far.ks


@given(samples)
def test_missing_values_are_left_out(sample: np.ndarray) -> None:
    assert drift(sample, np.append(sample, np.nan), 10).psi == 0.0


def test_a_column_without_any_value_is_not_comparable() -> None:
    assert np.isnan(drift(NORMAL, np.array([np.nan]), 10).psi)


def both(candidate: pd.DataFrame, champion: pd.DataFrame, **tags: str) -> Evidence:
    """Evidence of two models trained on these tables; `tags` are the candidate's."""
    found = evidence([0, 1], [0, 1], theirs=[0, 1], tags=tags)
    tables = {"classifier:2": candidate, "classifier:1": champion}
    return replace(found, fetch_training_set=lambda model: tables[model.name])


def judged(candidate: pd.DataFrame, champion: pd.DataFrame, **declared: Any) -> dict[str, CheckResult]:
    return {result.name: result for result in check(DriftConfig(**declared), both(candidate, champion))}


OLD = pd.DataFrame({"id": np.arange(2000.0), "glucose": NORMAL, "unit": ["mg", "mmol"] * 1000})


def test_each_column_is_judged() -> None:
    found = judged(OLD.assign(glucose=NORMAL + 1), OLD)
    assert {name: result.holds for name, result in found.items()} == {"id": True, "glucose": False, "unit": True}


def test_a_column_that_drifts_by_nature_is_ignored() -> None:
    assert set(judged(OLD.assign(id=OLD["id"] + 5000), OLD, ignore=["id"])) == {"glucose", "unit"}


def test_texts_drift_when_their_shares_do() -> None:
    assert not judged(OLD.assign(unit="mmol"), OLD)["unit"].holds


def test_a_column_without_values_does_not_hold() -> None:
    assert not judged(OLD.assign(glucose=np.nan), OLD)["glucose"].holds


@pytest.mark.parametrize(("candidate", "champion"), [(OLD, OLD.drop(columns="unit")), (OLD.drop(columns="unit"), OLD)])
def test_a_column_that_one_side_alone_has_does_not_hold(candidate: pd.DataFrame, champion: pd.DataFrame) -> None:
    assert not judged(candidate, champion)["unit"].holds


def test_the_same_rows_are_said_at_once() -> None:
    (result,) = judged(OLD.copy(), OLD).values()
    assert result.reason == "trained on the same rows as classifier:1"


def test_the_same_checksum_is_not_even_fetched() -> None:
    found = evidence([0, 1], [0, 1], theirs=[0, 1], tags={"data_sha256": "5e1f"})
    found.champion = FakeModel("classifier:1", tags={"data_sha256": "5e1f"})
    assert [result.reason for result in check(DriftConfig(), found)] == ["trained on the same data as classifier:1"]


def test_without_a_champion_nothing_is_compared() -> None:
    (result,) = check(DriftConfig(), evidence([0, 1], [0, 1]))
    assert result.holds
