"""Ten ways in which a candidate is bad: each is built from a good training, with one thing wrong."""

import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline

from diabetes import estimators
from diabetes.evaluation import Predictions, evaluate
from diabetes.schema import FEATURES, IDENTIFIER, LABEL
from mlgates.evaluation.model import Model
from tests.contract.mlgates.gate_candidates import Candidate, candidate, held_out_rows, save

SLOW_S = 0.2
"""Twice what the prod gate lets one row take."""


class Bakery:
    """Makes bad candidates from `data`, in folders below `place`; `good` is the candidate that they could have been."""

    def __init__(self, data: pd.DataFrame, good: Candidate, place: Path) -> None:
        self._data = data
        self._good = good
        self._place = place

    def constant_prediction(self) -> Candidate:
        """Say the same of everyone."""
        return self._fitted("constant", DummyClassifier(strategy="prior"))

    def inverted_labels(self) -> Candidate:
        """Learn that the healthy are ill; the metrics are measured on the truth."""
        return self._fitted("inverted", self._estimator(), labels=1 - self._training()[LABEL])

    def inverted_data(self) -> Candidate:
        """Learn from data whose label was inverted at its source, and so look as good as ever."""
        return self._fitted(
            "inverted-data", self._estimator(), data=self._data.assign(**{LABEL: 1 - self._data[LABEL]})
        )

    def identifier(self) -> Candidate:
        """Take the patient's number for a feature."""
        features = (IDENTIFIER, *FEATURES)
        return self._fitted("identifier", self._forest(features), features=features)

    def worse_on_one_age_band(self) -> Candidate:
        """Learn the contrary about those from 45 to under 60, whose labels were inverted in training."""
        training = self._training()
        labels = training[LABEL].where(~training["Age"].between(45, 59), 1 - training[LABEL])
        return self._fitted("age-band", self._forest(), labels=labels)

    def uncalibrated(self) -> Candidate:
        """Be ten times as sure, of the same."""
        model = self._estimator().fit(self._training()[list(FEATURES)], self._training()[LABEL])
        classifier = model.named_steps["classifier"]
        classifier.coef_, classifier.intercept_ = classifier.coef_ * 10, classifier.intercept_ * 10
        return self._saved("uncalibrated", model, self._data, FEATURES)

    def slow(self) -> Candidate:
        """Take `SLOW_S` for each prediction."""
        good = self._good.model
        return replace(self._good, model=_Slow("slow", good.folder, sha256="slow", tags=good.tags))

    def renamed_column(self) -> Candidate:
        """Call the glucose by another name, in the data and so in the signature."""
        data = self._data.rename(columns={"PlasmaGlucose": "Glucose"})
        features = tuple("Glucose" if name == "PlasmaGlucose" else name for name in FEATURES)
        return self._fitted("renamed", self._forest(features), data=data, features=features)

    def too_large(self) -> Candidate:
        """Carry something along that no prediction needs."""
        folder = self._place / "too-large"
        shutil.copytree(self._good.model.folder, folder)
        with (folder / "training-set.parquet").open("wb") as file:
            file.truncate(60_000_000)  # a hole: it takes no room on the disk
        return replace(self._good, model=Model("too-large", folder, sha256="too-large", tags=self._good.model.tags))

    def drifted_data(self) -> Candidate:
        """Learn from another population, one in which half of the patients are over 45."""
        old = (self._data["Age"] > 45).to_numpy()
        weights = np.where(old, 0.5 / old.sum(), 0.5 / (~old).sum())
        drawn = np.random.default_rng(0).choice(len(self._data), len(self._data), p=weights)
        return self._fitted("drifted", self._estimator(), data=self._data.iloc[drawn].reset_index(drop=True))

    def not_reproducible(self) -> Candidate:
        """Leave the seed to chance: the second training gives another forest."""
        first, second = (self._fitted(f"forest-{seed}", self._forest(seed=seed)) for seed in (1, 2))
        return replace(first, reproduced=second.reproduced)

    def _fitted(
        self,
        name: str,
        model: ClassifierMixin | Pipeline,
        *,
        labels: pd.Series | None = None,
        data: pd.DataFrame | None = None,
        features: tuple[str, ...] = FEATURES,
    ) -> Candidate:
        data = self._data if data is None else data
        training = self._training(data)
        model.fit(training[list(features)].astype("float64"), training[LABEL] if labels is None else labels)
        return self._saved(name, model, data, features)

    def _saved(self, name: str, model: Any, data: pd.DataFrame, features: tuple[str, ...]) -> Candidate:
        test = data.iloc[held_out_rows(len(data))]
        rows = test[list(features)].astype("float64")
        metrics = evaluate(Predictions(test[LABEL].to_numpy(), model.predict(rows), model.predict_proba(rows)[:, 1]))
        save(model, self._place / name, features)
        return candidate(self._place / name, data, metrics)

    def _training(self, data: pd.DataFrame | None = None) -> pd.DataFrame:
        data = self._data if data is None else data
        return data.drop(index=data.index[held_out_rows(len(data))])

    @staticmethod
    def _estimator() -> Pipeline:
        return estimators.scaled_logistic(seed=0)

    @staticmethod
    def _forest(features: tuple[str, ...] = FEATURES, *, seed: int = 0) -> Pipeline:
        chosen = ColumnTransformer([("all", "passthrough", list(features))])
        return Pipeline(
            [("features", chosen), ("classifier", RandomForestClassifier(20, max_depth=12, random_state=seed))]
        )


class _Slow(Model):
    def predict(self, features: pd.DataFrame) -> Any:
        time.sleep(SLOW_S)
        return super().predict(features)
