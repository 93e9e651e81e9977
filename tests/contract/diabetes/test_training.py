import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diabetes import estimators, patients
from diabetes.errors import SettingsError
from diabetes.schema import FEATURES
from diabetes.training import Outcome, Settings, train
from tests.unit.diabetes import frames
from tests.unit.diabetes.frames import QUICK


def outcome(estimator: str, seed: int = 0, table: pd.DataFrame | None = None) -> Outcome:
    table = frames.cohort() if table is None else table
    return train(patients.check(table), Settings(estimator=estimator, seed=seed))


@pytest.mark.parametrize("estimator", estimators.NAMES)
def test_a_seed_repeats_its_metrics(estimator: str) -> None:
    assert outcome(estimator, seed=7).metrics == outcome(estimator, seed=7).metrics


def test_another_seed_gives_another_forest() -> None:
    assert outcome("random-forest", seed=1).metrics != outcome("random-forest", seed=2).metrics


@pytest.mark.parametrize("estimator", estimators.NAMES)
def test_every_estimator_finds_what_is_there_to_learn(estimator: str) -> None:
    assert outcome(estimator).metrics.auc > 0.8


def test_the_model_is_judged_on_the_test_rows_alone() -> None:
    done = outcome("logistic")
    np.testing.assert_array_equal(done.predictions.labels, done.split.test.labels)


def test_another_seed_is_judged_on_the_same_rows() -> None:
    one, other = (outcome("logistic", seed).split.test.labels for seed in (1, 2))
    assert list(one.index) == list(other.index)


def test_another_split_seed_sets_other_rows_aside() -> None:
    one, other = (
        train(patients.check(frames.cohort()), Settings(split_seed=seed)).split.test.labels for seed in (1, 2)
    )
    assert list(one.index) != list(other.index)


@QUICK
@given(st.integers(0, 1000))
def test_the_scaler_has_seen_the_training_rows_only(seed: int) -> None:
    done = train(patients.check(frames.cohort(60)), Settings(estimator="scaled-logistic", split_seed=seed))
    seen = done.split.train.features[list(estimators.NUMERIC)].mean()
    np.testing.assert_allclose(done.model["features"].named_transformers_["numeric"].mean_, seen)


@QUICK
@given(st.integers(0, 1000), st.floats(0.5, 2.0))
def test_what_the_test_rows_hold_changes_no_model(seed: int, factor: float) -> None:
    table = patients.check(frames.cohort(60))
    before = train(table, Settings(estimator="scaled-logistic", split_seed=seed))
    table.loc[before.split.test.labels.index, list(FEATURES)] *= factor
    after = train(table, Settings(estimator="scaled-logistic", split_seed=seed))
    np.testing.assert_array_equal(before.model["classifier"].coef_, after.model["classifier"].coef_)


def test_the_defaults_are_the_first_iteration() -> None:
    assert Settings() == Settings(estimator="logistic", seed=0, split_seed=0, test_size=0.30)


@pytest.mark.parametrize("test_size", [0.0, 1.0, -0.3, 30, float("nan")])
def test_a_test_size_that_is_no_share_is_refused(test_size: float) -> None:
    with pytest.raises(SettingsError, match="not a share above 0 and below 1"):
        Settings(test_size=test_size)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_numpy_does_not_take_is_refused(seed: int) -> None:
    with pytest.raises(SettingsError, match=f"the seed is {seed}, not a number from 0 to 4294967295"):
        Settings(seed=seed)
    with pytest.raises(SettingsError, match=f"the split seed is {seed}"):
        Settings(split_seed=seed)


def test_an_unknown_estimator_is_refused_before_any_work() -> None:
    with pytest.raises(SettingsError, match="unknown estimator"):
        Settings(estimator="oracle")
