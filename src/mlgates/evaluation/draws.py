"""Scores of rows drawn again and again, in less than a tenth of scikit-learn's time.

scikit-learn checks its input anew for each of a thousand draws; what does not change from draw to draw is computed once
here. The figures are the same, which a test holds.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from mlgates.evaluation.answers import Answers
from mlgates.evaluation.rows import Rows
from mlgates.evaluation.scores import Numbers, Score

DrawScore: TypeAlias = Callable[[Numbers], float]


def of_draws(score: Score, rows: Rows, answers: Answers) -> DrawScore:
    """Return what gives the score of a draw of the rows, by their numbers."""
    fast = _FAST.get(score.name) if rows.weights is None else None
    if fast:
        return fast(rows, answers)
    return lambda numbers: score(rows.take(numbers), answers.take(numbers))


def _ratio(over: np.ndarray, under: np.ndarray, empty: float = float("nan")) -> DrawScore:
    """A ratio of two sums over the rows."""
    return lambda rows: float(over[rows].sum() / total) if (total := under[rows].sum()) else empty


def _mean(values: np.ndarray) -> DrawScore:
    return lambda rows: float(values[rows].mean())


def _auc(rows: Rows, answers: Answers) -> DrawScore:
    # The rows are ranked once, and a draw then only has to count.
    labels = rows.labels
    levels, ranks = np.unique(answers.positive, return_inverse=True)

    def score(drawn: Numbers) -> float:
        called, positive = ranks[drawn], labels[drawn] == 1
        positives = np.bincount(called[positive], minlength=len(levels))
        negatives = np.bincount(called[~positive], minlength=len(levels))
        pairs = int(positives.sum()) * int(negatives.sum())
        if not pairs:
            return float("nan")
        below = np.cumsum(negatives) - negatives / 2
        return float(positives @ below / pairs)

    return score


def _rmse(rows: Rows, answers: Answers) -> DrawScore:
    squares = (rows.labels - answers.values) ** 2
    return lambda drawn: float(np.sqrt(squares[drawn].mean()))


def _r2(rows: Rows, answers: Answers) -> DrawScore:
    labels, squares = rows.labels, (rows.labels - answers.values) ** 2

    def score(drawn: Numbers) -> float:
        spread = ((labels[drawn] - labels[drawn].mean()) ** 2).sum()
        return float(1 - squares[drawn].sum() / spread) if spread else float("nan")

    return score


_FAST: dict[str, Callable[[Rows, Answers], DrawScore]] = {
    "auc": _auc,
    "accuracy": lambda rows, answers: _mean(rows.labels == answers.values),
    "brier": lambda rows, answers: _mean((answers.positive - rows.labels) ** 2),
    "precision": lambda rows, answers: _ratio((rows.labels == 1) & (answers.values == 1), answers.values == 1, 0.0),
    "recall": lambda rows, answers: _ratio((rows.labels == 1) & (answers.values == 1), rows.labels == 1),
    "mae": lambda rows, answers: _mean(np.abs(rows.labels - answers.values)),
    "rmse": _rmse,
    "r2": _r2,
}
