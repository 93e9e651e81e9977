"""Answers in the form that scikit-learn's scorers want: an estimator that gives them again, by the numbers of rows."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from mlgates.evaluation.answers import Answers
from mlgates.evaluation.target import Labels, Target


class _Replayed(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    def fit(self, *_: object) -> "_Replayed":
        """Do nothing: the answers are there."""
        return self

    def predict(self, numbers: npt.NDArray[Any]) -> Labels:
        """Return the predictions of the rows of these numbers."""
        return self.answers.values[_flat(numbers)]


class _Regressor(RegressorMixin, _Replayed):  # type: ignore[misc]
    """Of a regression."""


class _Classifier(ClassifierMixin, _Replayed):  # type: ignore[misc]
    def __init__(self, answers: Answers, classes: int) -> None:
        super().__init__(answers)
        self.classes = classes
        self.classes_ = np.arange(classes)


class _Probabilistic(_Classifier):
    def predict_proba(self, numbers: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return the probabilities of the rows of these numbers."""
        return self.answers.by_class[_flat(numbers)]


def replayed(target: Target, answers: Answers) -> Any:
    """Return an estimator that answers as the model has."""
    if not target.task.classifies:
        return _Regressor(answers)
    kind = _Classifier if answers.probabilities is None else _Probabilistic
    return kind(answers, len(target.classes))


def _flat(numbers: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return np.asarray(numbers).ravel().astype(np.int64)
