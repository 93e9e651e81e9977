"""The published figures of the three iterations, on the data set that they were measured on."""

import os
from pathlib import Path

import pandas as pd
import pytest

from diabetes import patients
from diabetes.training import Settings, train

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("DIABETES_REFERENCE_DATA", ROOT.parent / "shared" / "data" / "diabetes.csv"))

pytestmark = pytest.mark.skipif(
    not DATA.is_file(), reason="needs the published data set: set DIABETES_REFERENCE_DATA to its path"
)


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    return patients.read(DATA)


@pytest.mark.parametrize(
    ("estimator", "accuracy", "auc"), [("logistic", 0.7889, 0.8568), ("scaled-logistic", 0.8389, 0.9202)]
)
def test_a_regression_gives_the_published_figures(
    published: pd.DataFrame, estimator: str, accuracy: float, auc: float
) -> None:
    metrics = train(published, Settings(estimator=estimator)).metrics
    assert (metrics.accuracy, metrics.auc) == pytest.approx((accuracy, auc), abs=0.0005)


def test_the_forest_gives_the_published_figures(published: pd.DataFrame) -> None:
    metrics = train(published, Settings(estimator="random-forest")).metrics
    assert 0.930 <= metrics.accuracy <= 0.936
    assert metrics.auc == pytest.approx(0.981, abs=0.002)
