import pandas as pd
import pytest

from diabetes import patients
from diabetes.training import Settings, train
from diabetes_dataset import stand_in

ACCURACIES = {"logistic": 0.7889, "scaled-logistic": 0.8389, "random-forest": 0.933}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return stand_in.generate(2)


@pytest.fixture(scope="module")
def accuracies(table: pd.DataFrame) -> dict[str, float]:
    checked = patients.check(table)
    return {name: train(checked, Settings(estimator=name, seed=0)).metrics.accuracy for name in ACCURACIES}


def test_the_three_estimators_land_close_to_the_real_accuracies(accuracies: dict[str, float]) -> None:
    assert accuracies == pytest.approx(ACCURACIES, abs=0.01)


def test_the_three_estimators_keep_their_order(accuracies: dict[str, float]) -> None:
    assert accuracies["logistic"] < accuracies["scaled-logistic"] < accuracies["random-forest"]
