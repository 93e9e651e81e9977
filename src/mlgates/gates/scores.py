"""The scores of a binary classifier that gates can compute themselves, each from labels, classes and probabilities."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Labels: TypeAlias = npt.NDArray[np.int64]
Probabilities: TypeAlias = npt.NDArray[np.float64]
Rows: TypeAlias = npt.NDArray[np.int64]
Score: TypeAlias = Callable[[Labels, Labels, Probabilities], float]
"""Takes labels, classes (0 or 1) and probabilities of class 1, arrays of one length."""


def accuracy(labels: Labels, classes: Labels, _: Probabilities) -> float:
    """Return the share of rows with the right class."""
    return float((labels == classes).mean())


def recall(labels: Labels, classes: Labels, _: Probabilities) -> float:
    """Return the share of the positive rows that were found; NaN without any."""
    positive = labels == 1
    return float(classes[positive].mean()) if positive.any() else float("nan")


def precision(labels: Labels, classes: Labels, _: Probabilities) -> float:
    """Return the share of the rows called positive that are; 0 when none was."""
    called = classes == 1
    return float(labels[called].mean()) if called.any() else 0.0


def auc(labels: Labels, _: Labels, probabilities: Probabilities) -> float:
    """Return the area under the ROC curve: how often a positive row outranks a negative one, ties counted half.

    By the rank sum of Mann and Whitney; NaN unless both classes occur.
    """
    positives = int(labels.sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return float("nan")
    ranks = rankdata(probabilities)
    return float((ranks[labels == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def brier(labels: Labels, _: Labels, probabilities: Probabilities) -> float:
    """Return the mean squared error of the probability."""
    return float(((probabilities - labels) ** 2).mean())


SCORES: Mapping[str, Score] = MappingProxyType(
    {"accuracy": accuracy, "auc": auc, "brier": brier, "precision": precision, "recall": recall}
)
"""By the names that training logs them under."""


def of_draws(metric: str, labels: Labels, classes: Labels, probabilities: Probabilities) -> Callable[[Rows], float]:
    """Return what gives the score of a draw of the rows, by their numbers, the same row more than once if so drawn."""
    if metric == "auc":
        return _auc_of_draws(labels, probabilities)
    score = SCORES[metric]
    return lambda rows: score(labels[rows], classes[rows], probabilities[rows])


def _auc_of_draws(labels: Labels, probabilities: Probabilities) -> Callable[[Rows], float]:
    # The rows are ranked once: a draw then only has to count, which takes a tenth of the time that ranking it would.
    levels, ranks = np.unique(probabilities, return_inverse=True)

    def score(rows: Rows) -> float:
        called, positive = ranks[rows], labels[rows] == 1
        positives = np.bincount(called[positive], minlength=len(levels))
        negatives = np.bincount(called[~positive], minlength=len(levels))
        pairs = int(positives.sum()) * int(negatives.sum())
        if not pairs:
            return float("nan")
        below = np.cumsum(negatives) - negatives / 2
        return float(positives @ below / pairs)

    return score


LOWER_IS_BETTER = frozenset({"brier", "log_loss"})
