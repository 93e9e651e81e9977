"""What a report draws of candidate and champion side by side, as small JSON that the gate's record carries.

    {"scores":   {"candidate": {"auc": 0.93}, "champion": {"auc": 0.91}},
     "lower_is_better": ["brier"],
     "target":   "binary of ill (no, yes; positive: yes)",
     "classes":  ["no", "yes"],
     "curves":   {"candidate": {"roc": [[false positive rate, true positive rate], ...],
                                "precision_recall": [[recall, precision], ...],
                                "calibration": [[mean probability, share of positives, rows], ...],
                                "confusion": [[true 0 called 0, true 0 called 1], [true 1 called 0, true 1 called 1]],
                                "predicted": [[label, prediction], ...],
                                "residuals": [[prediction, label - prediction], ...],
                                "rows": 3000}, "champion": {...}},
     "versions": [{"version": "1", "metrics": {"auc": 0.91}}, ...],
     "missing":  {"candidate": "why there is no curve of it"}}

What is not of the task is an empty list: a regression has `predicted` and `residuals`, a classifier the others; several
classes have a confusion matrix of as many, and curves only where there is one positive class. Nothing here decides: a
picture that cannot be drawn says why under `missing`, and the gate's verdict stands without it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from mlgates.core.lineage import Lineage
from mlgates.core.values import AssetVersion
from mlgates.evaluation.answers import Answers, Probabilities
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.model import Model
from mlgates.evaluation.rows import Rows
from mlgates.evaluation.scores import SCORES, USUAL
from mlgates.evaluation.target import Labels, Task
from mlgates.gates.checks.calibration import bins_of
from mlgates.gates.evidence import Evidence

POINTS = 100
"""As many points a curve has at most: more than that no eye can tell apart."""
DOTS = 400
"""As many rows of a regression are drawn."""
BINS = 10
_LEAST_RECALL = 0.01
_DIGITS = 5


def pictures_of(evidence: Evidence, versions: Iterable[AssetVersion] = ()) -> dict[str, Any]:
    """Return the pictures of a gate's candidate and champion, and the metrics of `versions`, oldest first."""
    pictures: dict[str, Any] = {"scores": {}, "curves": {}, "missing": {}, "versions": history(versions)}
    pictures["lower_is_better"] = sorted(name for name, score in SCORES.items() if score.lower_is_better)
    for role, model in (("candidate", evidence.the_candidate), ("champion", evidence.champion)):
        if model is None:
            continue
        try:
            pictures["scores"][role], pictures["curves"][role] = _of(evidence, model)
            pictures["target"], pictures["classes"] = evidence.target.summary, list(map(str, evidence.target.classes))
        except CouldNotRun as error:
            pictures["missing"][role] = str(error)
        except Exception as error:  # noqa: BLE001 - a picture that cannot be drawn never ends a gate
            pictures["missing"][role] = f"{type(error).__name__}: {error}"
    return pictures


def _of(evidence: Evidence, model: Model) -> tuple[dict[str, float], dict[str, Any]]:
    """Return the usual scores of one model, and its curves."""
    rows, answers = evidence.labelled, evidence.answers(model)
    scores = {}
    for score in (SCORES[name] for name in USUAL[rows.target.task]):
        if answers.probabilities is not None or not score.wants_probabilities:
            scores[score.name] = score(rows, answers)
    return {name: round(value, _DIGITS) for name, value in scores.items() if np.isfinite(value)}, curves(rows, answers)


def curves(rows: Rows, answers: Answers) -> dict[str, Any]:
    """Return the curves of one model; those that the task or the labels leave undefined are []."""
    drawn: dict[str, Any] = {
        name: [] for name in ("roc", "precision_recall", "calibration", "confusion", "predicted", "residuals")
    }
    drawn["rows"] = len(rows)
    if rows.target.task is Task.REGRESSION:
        return drawn | _of_regression(rows.labels, answers.values)
    from sklearn.metrics import confusion_matrix  # noqa: PLC0415

    classes = range(len(rows.target.classes))
    drawn["confusion"] = confusion_matrix(rows.labels, answers.values, labels=list(classes)).tolist()
    if rows.target.task is Task.BINARY and answers.probabilities is not None:
        drawn |= _of_probabilities(rows.labels.astype(np.int64), answers.positive)
    return drawn


def _of_probabilities(labels: npt.NDArray[np.int64], probabilities: Probabilities) -> dict[str, Any]:
    both = 0 < int(labels.sum()) < len(labels)
    return {
        "roc": _roc(labels, probabilities) if both else [],
        "precision_recall": _precision_recall(labels, probabilities) if both else [],
        "calibration": [
            [*_rounded(each.predicted, each.observed), each.rows] for each in bins_of(labels, probabilities, BINS)
        ],
    }


def _of_regression(labels: Labels, values: Labels) -> dict[str, Any]:
    chosen = np.unique(np.linspace(0, len(labels) - 1, min(len(labels), DOTS)).round().astype(np.int64))
    pairs = [(labels[place], values[place]) for place in chosen]
    return {
        "predicted": [_rounded(label, value) for label, value in pairs],
        "residuals": [_rounded(value, label - value) for label, value in pairs],
    }


def history(versions: Iterable[AssetVersion]) -> list[Mapping[str, Any]]:
    """Return what each version was logged to score, in the order of `versions`; those without metrics are left out."""
    read = [(each.version, dict(Lineage.from_tags(each.tags).metrics)) for each in versions]
    return [{"version": version, "metrics": metrics} for version, metrics in read if metrics]


def _roc(labels: Labels, probabilities: Probabilities) -> list[list[float]]:
    from sklearn.metrics import roc_curve  # noqa: PLC0415 - see mlgates.evaluation.scores

    false, true, _ = roc_curve(labels, probabilities, drop_intermediate=False)
    return _thinned(false, true)


def _precision_recall(labels: Labels, probabilities: Probabilities) -> list[list[float]]:
    from sklearn.metrics import precision_recall_curve  # noqa: PLC0415

    # From the strictest threshold to the laxest; scikit-learn ends with a point (0, 1), which no threshold has.
    precision, recall, _ = (values[::-1] for values in precision_recall_curve(labels, probabilities))
    # The strictest thresholds call a handful of rows, and the precision of a handful is chance.
    kept = recall[1:] >= _LEAST_RECALL
    return _thinned(recall[1:][kept], precision[1:][kept])


def _thinned(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> list[list[float]]:
    """Return at most POINTS points of a curve, its ends among them."""
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), POINTS)).round().astype(np.int64))
    return [_rounded(x[place], y[place]) for place in kept]


def _rounded(*numbers: float) -> list[float]:
    return [round(float(number), _DIGITS) for number in numbers]
