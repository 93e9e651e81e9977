"""Models of many kinds, saved and loaded by MLflow, answer through one border."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow.lightgbm
import mlflow.pyfunc
import mlflow.sklearn
import numpy as np
import pandas as pd
import pytest
from lightgbm import Dataset, LGBMClassifier, LGBMRegressor, train
from mlflow.models import infer_signature
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from mlgates.contract.model_folder import read_contract
from mlgates.evaluation.model import Model
from mlgates.evaluation.rows import Rows, rows_of
from mlgates.evaluation.scores import USUAL, find_score
from mlgates.evaluation.target import EvaluationConfig, Task, find_target

CHANCE = np.random.default_rng(0)
ROWS = 400
NUMBERS = pd.DataFrame({"size": CHANCE.normal(0, 1, ROWS), "age": CHANCE.normal(0, 1, ROWS)})
TABLE = NUMBERS.assign(
    town=CHANCE.choice(["Oslo", "Bergen", "Tromsø"], ROWS),
    price=3 * NUMBERS["size"] + NUMBERS["age"] + CHANCE.normal(0, 0.1, ROWS),
)
TABLE["sold"] = np.where(TABLE["price"] > 0, "yes", "no")
TABLE["class"] = np.select([TABLE["price"] > 1, TABLE["price"] < -1], ["high", "low"], "mid")
TABLE["signed"] = np.where(TABLE["price"] > 0, 1, -1)
TABLE["one_two"] = np.where(TABLE["price"] > 0, 2, 1)
FEATURES = ["size", "age", "town"]
Answering = Callable[[str, Any, list[str]], tuple[Model, Rows, EvaluationConfig]]


@pytest.fixture
def answering(tmp_path: Path) -> Answering:
    """Saves a fitted model, and returns it as a gate loads it, with rows to ask."""

    def make(label: str, fitted: Any, features: list[str]) -> tuple[Model, Rows, EvaluationConfig]:
        signature = infer_signature(TABLE[features], fitted.predict(TABLE[features]))
        flavor: Any = mlflow.lightgbm if type(fitted).__module__.startswith("lightgbm") else mlflow.sklearn
        options = {} if flavor is mlflow.lightgbm else {"serialization_format": "cloudpickle"}
        flavor.save_model(fitted, str(tmp_path / "m"), signature=signature, pip_requirements=[], **options)
        return gathered(tmp_path / "m", EvaluationConfig(label=label))

    return make


def gathered(folder: Path, config: EvaluationConfig) -> tuple[Model, Rows, EvaluationConfig]:
    model = Model("m:1", folder, sha256="", tags={})
    target = find_target(config, TABLE[config.label], classifier=lambda: model.classifier)
    return model, rows_of(TABLE, target, read_contract(folder), config), config


def encoded(estimator: Any) -> Any:
    return make_pipeline(make_column_transformer((OneHotEncoder(), ["town"]), remainder="passthrough"), estimator)


@pytest.mark.parametrize("label", ["sold", "signed", "one_two"])
def test_two_classes_of_any_spelling_are_judged_alike(answering: Answering, label: str) -> None:
    model, rows, config = answering(label, encoded(LogisticRegression()).fit(TABLE[FEATURES], TABLE[label]), FEATURES)
    scores = {name: find_score(name, rows.target)(rows, model.answer(rows, config)) for name in USUAL[Task.BINARY]}
    assert scores["auc"] > 0.99
    assert scores["brier"] < 0.05


@pytest.mark.parametrize("estimator", [RandomForestClassifier(20, random_state=0), LogisticRegression()])
def test_several_classes_are_judged(answering: Answering, estimator: Any) -> None:
    fitted = encoded(estimator).fit(TABLE[FEATURES], TABLE["class"])
    model, rows, config = answering("class", fitted, FEATURES)
    assert rows.target.classes == ("high", "low", "mid")
    assert find_score("auc_ovr", rows.target)(rows, model.answer(rows, config)) > 0.95


def test_a_regression_is_judged(answering: Answering) -> None:
    fitted = encoded(LinearRegression()).fit(TABLE[FEATURES], TABLE["price"])
    model, rows, config = answering("price", fitted, FEATURES)
    assert rows.target.task == Task.REGRESSION
    assert find_score("r2", rows.target)(rows, model.answer(rows, config)) > 0.99


class TestLightGbm:
    def test_its_classifier_has_probabilities(self, answering: Answering) -> None:
        fitted = LGBMClassifier(n_estimators=20, verbose=-1).fit(NUMBERS, TABLE["sold"])
        model, rows, config = answering("sold", fitted, ["size", "age"])
        assert find_score("auc", rows.target)(rows, model.answer(rows, config)) > 0.99

    def test_its_regressor_has_quantities(self, answering: Answering) -> None:
        fitted = LGBMRegressor(n_estimators=50, verbose=-1).fit(NUMBERS, TABLE["price"])
        model, rows, config = answering("price", fitted, ["size", "age"])
        assert find_score("r2", rows.target)(rows, model.answer(rows, config)) > 0.9

    def test_a_booster_answers_with_the_probability_itself(self, answering: Answering) -> None:
        data = Dataset(NUMBERS, (TABLE["one_two"] - 1).to_numpy())
        fitted = train({"objective": "binary", "verbose": -1}, data, num_boost_round=20)
        model, rows, config = answering("one_two", fitted, ["size", "age"])
        assert find_score("auc", rows.target)(rows, model.answer(rows, config)) > 0.99


class Appraiser(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]  # not exported by name
    """A model of one's own with a date among its inputs and three outputs."""

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        chance = 1 / (1 + np.exp(-3 * model_input["size"].to_numpy()))
        years = model_input["day"].dt.year.astype(str).to_numpy()
        return pd.DataFrame({"sold": np.where(chance > 0.5, "yes", "no"), "chance": chance, "year": years})


@pytest.mark.filterwarnings("ignore::UserWarning:mlflow")
def test_a_pyfunc_of_three_outputs_is_judged_by_what_is_declared(tmp_path: Path, monkeypatch: Any) -> None:
    table = TABLE.assign(day=pd.Timestamp("2026-01-31"))
    monkeypatch.setitem(globals(), "TABLE", table)
    inputs = table[["size", "day"]]
    signature = infer_signature(inputs, Appraiser().predict(None, inputs))
    mlflow.pyfunc.save_model(str(tmp_path / "m"), python_model=Appraiser(), signature=signature, pip_requirements=[])
    config = EvaluationConfig(label="sold", prediction="sold", probabilities={"chance": "yes"})
    model, rows, config = gathered(tmp_path / "m", config)
    assert find_score("auc", rows.target)(rows, model.answer(rows, config)) > 0.9
    assert find_score("accuracy", rows.target)(rows, model.answer(rows, config)) > 0.8
