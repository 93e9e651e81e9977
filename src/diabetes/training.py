"""One experiment, from a table of patients to a judged model, without a word about where it is recorded."""

from dataclasses import dataclass
from typing import Final

import pandas as pd
from sklearn.pipeline import Pipeline

from diabetes import estimators
from diabetes.errors import SettingsError
from diabetes.evaluation import Metrics, Predictions, evaluate, predict
from diabetes.split import Split, split

MAX_SEED: Final = 2**32 - 1
"""The largest seed that NumPy's legacy generator, and so scikit-learn, takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is chosen by the one who runs an experiment. Raises `SettingsError` for choices that do not exist."""

    estimator: str = "logistic"
    """One of `estimators.NAMES`."""
    seed: int = 0
    """Of the estimator; the same seed gives the same model."""
    split_seed: int = 0
    """Of the split, apart from the estimator's: models are compared on rows that none of them was trained on."""
    test_size: float = 0.30
    """The share of rows kept for the test, above 0 and below 1."""

    def __post_init__(self) -> None:
        estimators.build(self.estimator, seed=self.seed)
        for name, seed in (("seed", self.seed), ("split seed", self.split_seed)):
            if not 0 <= seed <= MAX_SEED:
                raise SettingsError(f"the {name} is {seed}, not a number from 0 to {MAX_SEED}")
        if not 0 < self.test_size < 1:
            raise SettingsError(f"the test size is {self.test_size:g}, not a share above 0 and below 1")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an experiment gives: the fitted model, the rows it saw and did not see, and how it did on the latter."""

    model: Pipeline
    split: Split
    predictions: Predictions
    metrics: Metrics


def train(patients: pd.DataFrame, settings: Settings) -> Outcome:
    """Split, fit, judge. `patients` is a table that `patients.check` returned; raises what `split` raises.

    Nothing is fitted, preprocessing neither, before the test rows are set aside.
    """
    parts = split(patients, test_size=settings.test_size, seed=settings.split_seed)
    model = estimators.build(settings.estimator, seed=settings.seed)
    model.fit(parts.train.features, parts.train.labels)
    predictions = predict(model, parts.test)
    return Outcome(model, parts, predictions, evaluate(predictions))
