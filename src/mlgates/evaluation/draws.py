"""Scores of rows drawn again and again, in less than a tenth of scikit-learn's time.

scikit-learn checks its input anew for each of a thousand draws; what does not change from draw to draw is computed once
here. The figures are the same, which a test holds.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mlgates.evaluation.answers import Answers
from mlgates.evaluation.rows import Rows
from mlgates.evaluation.scores import Numbers, Score
from mlgates.evaluation.target import Task

DrawScore: TypeAlias = Callable[[Numbers], float]
Counts: TypeAlias = npt.NDArray[np.float64]
"""A confusion matrix: of each class, how many rows were called each class."""
_NAN = float("nan")


def of_draws(score: Score, rows: Rows, answers: Answers) -> DrawScore:
    """Return what gives the score of a draw of the rows, by their numbers."""
    fast = FASTER.get(rows.target.task, {}).get(score.name) if rows.weights is None else None
    if fast and (answers.probabilities is not None or not score.wants_probabilities):
        return fast(rows, answers)
    # Not `rows.take`, which would copy every feature each time.
    weights = rows.weights
    return lambda numbers: score.of(
        rows.labels[numbers], answers.take(numbers), None if weights is None else weights[numbers]
    )


def _mean(values: npt.NDArray[np.float64]) -> DrawScore:
    return lambda rows: float(values[rows].mean())


def _negative(score: Callable[[Rows, Answers], DrawScore]) -> Callable[[Rows, Answers], DrawScore]:
    """The same as one of scikit-learn's scorers has it: more is better."""

    def negated(rows: Rows, answers: Answers) -> DrawScore:
        of = score(rows, answers)
        return lambda drawn: -of(drawn)

    return negated


def _counted(figure: Callable[[Counts], float]) -> Callable[[Rows, Answers], DrawScore]:
    """A score of the confusion matrix alone."""

    def score(rows: Rows, answers: Answers) -> DrawScore:
        classes = len(rows.target.classes)
        cells = rows.labels.astype(np.int64) * classes + answers.values.astype(np.int64)

        def of(drawn: Numbers) -> float:
            counts = np.bincount(cells[drawn], minlength=classes**2).reshape(classes, classes)
            return figure(counts.astype(np.float64))

        return of

    return score


def _f1_by_class(counts: Counts) -> npt.NDArray[np.float64]:
    both = counts.sum(axis=0) + counts.sum(axis=1)
    found: npt.NDArray[np.float64] = np.divide(2 * counts.diagonal(), both, out=np.zeros(len(counts)), where=both > 0)
    return found


def _present(counts: Counts) -> npt.NDArray[np.bool_]:
    """Which classes occur among labels or predictions; scikit-learn leaves the others out of a mean."""
    occurs: npt.NDArray[np.bool_] = (counts.sum(axis=0) + counts.sum(axis=1)) > 0
    return occurs


def _recall_by_class(counts: Counts) -> npt.NDArray[np.float64]:
    labels = counts.sum(axis=1)
    found: npt.NDArray[np.float64] = counts.diagonal()[labels > 0] / labels[labels > 0]
    return found


def _share(over: float, under: float, empty: float) -> float:
    return float(over / under) if under else empty


def _auc_of(positive: npt.NDArray[np.bool_], probabilities: npt.NDArray[np.float64]) -> DrawScore:
    # The rows are ranked once, and a draw then only has to count.
    levels, ranks = np.unique(probabilities, return_inverse=True)

    def score(drawn: Numbers) -> float:
        called, chosen = ranks[drawn], positive[drawn]
        positives = np.bincount(called[chosen], minlength=len(levels))
        negatives = np.bincount(called[~chosen], minlength=len(levels))
        pairs = int(positives.sum()) * int(negatives.sum())
        if not pairs:
            return _NAN
        below = np.cumsum(negatives) - negatives / 2
        return float(positives @ below / pairs)

    return score


def _auc(rows: Rows, answers: Answers) -> DrawScore:
    return _auc_of(rows.labels == 1, answers.positive)


def _auc_ovr(rows: Rows, answers: Answers) -> DrawScore:
    columns = range(answers.by_class.shape[1])
    each = [_auc_of(rows.labels == number, answers.by_class[:, number]) for number in columns]
    return lambda drawn: float(np.mean([of(drawn) for of in each]))


def _brier(rows: Rows, answers: Answers) -> DrawScore:
    return _mean((answers.positive - rows.labels) ** 2)


def _log_loss(rows: Rows, answers: Answers) -> DrawScore:
    # scikit-learn keeps probabilities this far from 0 and 1, whose logarithms are infinite.
    least = np.finfo(np.float64).eps
    given = answers.by_class[np.arange(len(rows)), rows.labels.astype(np.int64)]
    return _mean(-np.log(np.clip(given, least, 1 - least)))


def _errors(rows: Rows, answers: Answers) -> npt.NDArray[np.float64]:
    return np.asarray(rows.labels - answers.values, dtype=np.float64)


def _mae(rows: Rows, answers: Answers) -> DrawScore:
    return _mean(np.abs(_errors(rows, answers)))


def _mse(rows: Rows, answers: Answers) -> DrawScore:
    return _mean(_errors(rows, answers) ** 2)


def _rmse(rows: Rows, answers: Answers) -> DrawScore:
    of = _mse(rows, answers)
    return lambda drawn: float(np.sqrt(of(drawn)))


def _r2(rows: Rows, answers: Answers) -> DrawScore:
    labels, squares = rows.labels, _errors(rows, answers) ** 2

    def score(drawn: Numbers) -> float:
        spread = ((labels[drawn] - labels[drawn].mean()) ** 2).sum()
        return float(1 - squares[drawn].sum() / spread) if spread else _NAN

    return score


_accuracy = _counted(lambda counts: _share(counts.trace(), counts.sum(), _NAN))
_balanced = _counted(lambda counts: float(_recall_by_class(counts).mean()))
_precision = _counted(lambda counts: _share(counts[1, 1], counts[:, 1].sum(), 0.0))
_recall = _counted(lambda counts: _share(counts[1, 1], counts[1].sum(), _NAN))
_f1 = _counted(lambda counts: float(_f1_by_class(counts)[1]))
_f1_macro = _counted(lambda counts: float(_f1_by_class(counts)[_present(counts)].mean()))
_f1_weighted = _counted(lambda counts: float(np.average(_f1_by_class(counts), weights=counts.sum(axis=1))))

_EITHER = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced,
    "f1_macro": _f1_macro,
    "f1_weighted": _f1_weighted,
    "log_loss": _log_loss,
    "neg_log_loss": _negative(_log_loss),
}
FASTER: dict[Task, dict[str, Callable[[Rows, Answers], DrawScore]]] = {
    Task.BINARY: {
        **_EITHER,
        "precision": _precision,
        "recall": _recall,
        "f1": _f1,
        "auc": _auc,
        "roc_auc": _auc,
        "brier": _brier,
        "neg_brier_score": _negative(_brier),
    },
    Task.MULTICLASS: {**_EITHER, "auc_ovr": _auc_ovr, "roc_auc_ovr": _auc_ovr},
    Task.REGRESSION: {
        "r2": _r2,
        "rmse": _rmse,
        "mae": _mae,
        "neg_root_mean_squared_error": _negative(_rmse),
        "neg_mean_absolute_error": _negative(_mae),
        "neg_mean_squared_error": _negative(_mse),
    },
}
"""By task the scores that are computed here, under this project's names and scikit-learn's."""
