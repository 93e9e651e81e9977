"""The training set, whichever it is: it meets its suite, and it trains as the published figures say."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from diabetes import estimators, patients
from diabetes.schema import FEATURES, LABEL
from diabetes.training import Settings, train
from mlgates import load_suite, read_csv, validate
from tests.data.conftest import SUITES

# Measured on the published data set.
MEANS = (3.2245, 107.8569, 71.2207, 28.8140, 137.8521, 31.5096, 0.3990, 30.1377)
DEVIATIONS = (3.3910, 31.9820, 16.7587, 14.5557, 133.0683, 9.7590, 0.3779, 12.0897)
ACCURACIES = (0.7889, 0.8389, 0.933)


@pytest.fixture(scope="session", params=["present_path", "stand_in_path", "reference_path"])
def table(request: pytest.FixtureRequest) -> pd.DataFrame:
    path: Path = request.getfixturevalue(request.param)
    return read_csv(path)


@pytest.fixture(scope="session", params=["stand_in_path", "reference_path"])
def described(request: pytest.FixtureRequest) -> pd.DataFrame:
    """The tables that the published figures describe; what is present may be a person's own."""
    path: Path = request.getfixturevalue(request.param)
    return read_csv(path)


def test_it_meets_its_suite(table: pd.DataFrame) -> None:
    result = validate(table, load_suite(SUITES / "training-set.json"))
    assert result.passed, result.summary


def test_a_checkpoint_writes_data_docs(stand_in_table: pd.DataFrame, tmp_path: Path) -> None:
    result = validate(stand_in_table, load_suite(SUITES / "training-set.json"), docs=tmp_path)
    assert (tmp_path / "training-set" / "index.html") == result.docs
    assert "training-set" in result.docs.read_text(encoding="utf-8")


def test_means_and_deviations_are_within_5_percent_of_the_published(described: pd.DataFrame) -> None:
    features = described[list(FEATURES)]
    np.testing.assert_allclose(features.mean(), MEANS, rtol=0.05)
    np.testing.assert_allclose(features.std(), DEVIATIONS, rtol=0.05)


def test_a_third_of_the_patients_is_diabetic(described: pd.DataFrame) -> None:
    assert described[LABEL].mean() == pytest.approx(1 / 3, abs=1e-4)


# That the stand-in does is a unit test of it: fitting a forest takes seconds.
def test_the_three_estimators_give_the_published_accuracies_in_order(reference_path: Path) -> None:
    checked = patients.read(reference_path)
    measured = [train(checked, Settings(estimator=name, seed=0)).metrics.accuracy for name in estimators.NAMES]
    assert measured == pytest.approx(ACCURACIES, abs=0.01)
    assert measured == sorted(measured)
