from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ks_2samp

from mlgates.core.gates import CheckResult
from mlgates.gates.checks.drift import Drift, DriftConfig, check, stability_index
from mlgates.gates.checks.drift import drift as drift_of
from mlgates.gates.evidence import Evidence
from tests.unit.mlgates.gates.fakes import FakeModel, evidence

samples = arrays(np.float64, st.integers(5, 60), elements=st.floats(-1e6, 1e6, width=32))
shares = (
    arrays(np.float64, 8, elements=st.floats(0, 1)).filter(lambda drawn: drawn.sum() > 0.1).map(lambda x: x / x.sum())
)
NORMAL = np.random.default_rng(0).normal(0, 1, 2000)


def drift(one: np.ndarray, other: np.ndarray, bins: int) -> Drift:
    return drift_of(pd.Series(one), pd.Series(other), bins)


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


class TestCategories:
    OLD = pd.DataFrame({"unit": ["mg", "mmol"] * 1000, "sick": [True, False] * 1000})

    def test_a_category_that_is_gone_is_drift(self) -> None:
        found = judged(self.OLD.assign(unit=["mg", "g"] * 1000), self.OLD)["unit"]
        assert found.reason == "categories of unit changed, new: g; gone: mmol"

    def test_a_rare_category_that_is_not_drawn_is_none(self) -> None:
        rare = self.OLD.assign(unit=["mg"] * 1000 + ["mmol"] * 999 + ["g"])
        assert judged(self.OLD, rare)["unit"].holds

    def test_new_categories_may_be_allowed(self) -> None:
        units = ["mg"] * 1000 + ["mmol"] * 960 + ["g"] * 40
        assert not judged(self.OLD.assign(unit=units), self.OLD)["unit"].holds
        assert judged(self.OLD.assign(unit=units), self.OLD, new_categories=True)["unit"].holds

    def test_booleans_are_categories(self) -> None:
        found = judged(self.OLD.assign(sick=[True] * 1600 + [False] * 400), self.OLD)["sick"]
        assert not found.holds
        assert found.evidence["edges"] == ["True", "False"]

    def test_texts_that_nobody_wrote_before_are_compared_by_the_frequent_ones(self) -> None:
        notes = [f"note {number}" for number in range(2000)]
        other = self.OLD.assign(unit=[f"new {number}" for number in range(2000)])
        assert judged(other, self.OLD.assign(unit=notes))["unit"].evidence["new"] == []


@given(st.floats(0, 1), st.floats(0, 1))
def test_values_that_vanish_or_appear_are_drift_beyond_the_limit(old: float, new: float) -> None:
    def with_gaps(share: float) -> pd.DataFrame:
        return pd.DataFrame({"glucose": np.where(np.arange(200) < round(share * 200), np.nan, NORMAL[:200])})

    missing = [float(with_gaps(share)["glucose"].isna().mean()) for share in (old, new)]
    found = judged(with_gaps(new), with_gaps(old), max_missing=0.1, max_psi=99, max_ks=1).get("glucose")
    if found and abs(missing[1] - missing[0]) > 0.1:
        assert not found.holds
        assert found.evidence["missing"] == missing


def test_a_column_that_turned_constant_does_not_hold() -> None:
    found = judged(OLD.assign(glucose=1.5), OLD, max_psi=99, max_ks=1)["glucose"]
    assert found.reason == "glucose is the same in every row, and was not in the champion's data"


def test_the_same_dates_do_not_drift_in_another_unit() -> None:
    days = pd.Series(pd.date_range("2026-01-01", periods=200))
    found = drift_of(days.astype("datetime64[ns]"), days.astype("datetime64[us]"), 10)
    assert (found.psi, found.ks) == (0.0, 0.0)


def test_decimals_are_numbers() -> None:
    prices = pd.Series([Decimal(number) for number in range(200)], dtype=object)
    assert drift_of(prices, prices.map(lambda price: price * 100), 10).psi > 1
