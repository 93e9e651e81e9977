"""The scores of a binary classifier, as scikit-learn computes them, and fast ones of rows drawn again and again."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Labels: TypeAlias = npt.NDArray[np.int64]
Probabilities: TypeAlias = npt.NDArray[np.float64]
Rows: TypeAlias = npt.NDArray[np.int64]
Score: TypeAlias = Callable[[Labels, Labels, Probabilities], float]
"""Takes labels, classes (0 or 1) and probabilities of class 1, arrays of one length."""

LOWER_IS_BETTER = frozenset({"brier", "log_loss"})

# scikit-learn is imported by those that score: a gate about a commit has no model, and need not wait for it.


def accuracy(labels: Labels, classes: Labels, _: Probabilities) -> float:
    """Return the share of rows with the right class."""
    from sklearn.metrics import accuracy_score  # noqa: PLC0415

    return float(accuracy_score(labels, classes))


def recall(labels: Labels, classes: Labels, _: Probabilities) -> float:
    """Return the share of the positive rows that were found; NaN without any."""
    from sklearn.metrics import recall_score  # noqa: PLC0415

    return float(recall_score(labels, classes, zero_division=np.nan))


def precision(labels: Labels, classes: Labels, _: Probabilities) -> float:
    """Return the share of the rows called positive that are; 0 when none was."""
    from sklearn.metrics import precision_score  # noqa: PLC0415

    return float(precision_score(labels, classes, zero_division=0.0))


def auc(labels: Labels, _: Labels, probabilities: Probabilities) -> float:
    """Return the area under the ROC curve; NaN unless both classes occur, of which scikit-learn would warn."""
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415

    return float(roc_auc_score(labels, probabilities)) if 0 < labels.sum() < len(labels) else float("nan")


def brier(labels: Labels, _: Labels, probabilities: Probabilities) -> float:
    """Return the mean squared error of the probability."""
    from sklearn.metrics import brier_score_loss  # noqa: PLC0415

    return float(brier_score_loss(labels, probabilities))


SCORES: Mapping[str, Score] = MappingProxyType(
    {"accuracy": accuracy, "auc": auc, "brier": brier, "precision": precision, "recall": recall}
)
"""By the names that training logs them under."""


def of_draws(metric: str, labels: Labels, classes: Labels, probabilities: Probabilities) -> Callable[[Rows], float]:
    """Return what gives the score of a draw of the rows, by their numbers, the same row more than once if so drawn.

    The figures are scikit-learn's, which checks its input anew for each of a thousand draws; what does not change from
    draw to draw is computed once here, and a draw takes less than a tenth of the time.
    """
    if metric == "auc":
        return _auc_of_draws(labels, probabilities)
    # The others are ratios of two sums over the rows.
    right, positive, called, every = labels == classes, labels == 1, classes == 1, np.ones(len(labels))
    over, under, empty = {
        "accuracy": (right, every, np.nan),
        "brier": ((probabilities - labels) ** 2, every, np.nan),
        "precision": (positive & called, called, 0.0),
        "recall": (positive & called, positive, np.nan),
    }[metric]
    return lambda rows: float(over[rows].sum() / total) if (total := under[rows].sum()) else empty


def _auc_of_draws(labels: Labels, probabilities: Probabilities) -> Callable[[Rows], float]:
    # The rows are ranked once, and a draw then only has to count.
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
