"""What a report draws of candidate and champion side by side, as small JSON that the gate's record carries.

    {"scores":   {"candidate": {"auc": 0.93}, "champion": {"auc": 0.91}},
     "lower_is_better": ["brier"],
     "curves":   {"candidate": {"roc": [[false positive rate, true positive rate], ...],
                                "precision_recall": [[recall, precision], ...],
                                "calibration": [[mean probability, share of positives, rows], ...],
                                "confusion": [[true 0 called 0, true 0 called 1], [true 1 called 0, true 1 called 1]],
                                "rows": 3000}, "champion": {...}},
     "versions": [{"version": "1", "metrics": {"auc": 0.91}}, ...],
     "missing":  {"candidate": "why there is no curve of it"}}

Nothing here decides: a picture that cannot be drawn says why under `missing`, and the gate's verdict stands without it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from mlgates.core.lineage import Lineage
from mlgates.core.values import AssetVersion
from mlgates.gates.errors import CouldNotRun
from mlgates.gates.evidence import Evidence
from mlgates.gates.scores import LOWER_IS_BETTER, SCORES, Labels, Probabilities

POINTS = 100
"""As many points a curve has at most: more than that no eye can tell apart."""
BINS = 10
_LEAST_RECALL = 0.01
_DIGITS = 5


def pictures_of(evidence: Evidence, versions: Iterable[AssetVersion] = ()) -> dict[str, Any]:
    """Return the pictures of a gate's candidate and champion, and the metrics of `versions`, oldest first."""
    pictures: dict[str, Any] = {"scores": {}, "curves": {}, "missing": {}, "versions": history(versions)}
    pictures["lower_is_better"] = sorted(LOWER_IS_BETTER)
    for role, model in (("candidate", evidence.the_candidate), ("champion", evidence.champion)):
        if model is None:
            continue
        try:
            labels, classes = evidence.held_out.labels, evidence.classes(model)
            probabilities = evidence.probabilities(model)
        except CouldNotRun as error:
            pictures["missing"][role] = str(error)
            continue
        scores = {name: score(labels, classes, probabilities) for name, score in SCORES.items()}
        pictures["scores"][role] = {name: round(value, _DIGITS) for name, value in scores.items() if np.isfinite(value)}
        pictures["curves"][role] = curves(labels, classes, probabilities)
    return pictures


def curves(labels: Labels, classes: Labels, probabilities: Probabilities) -> dict[str, Any]:
    """Return the curves of one model from arrays of one length; those that one class alone leaves undefined are []."""
    both = 0 < int(labels.sum()) < len(labels)
    return {
        "roc": _roc(labels, probabilities) if both else [],
        "precision_recall": _precision_recall(labels, probabilities) if both else [],
        "calibration": _calibration(labels, probabilities),
        "confusion": [[int(((labels == true) & (classes == called)).sum()) for called in (0, 1)] for true in (0, 1)],
        "rows": len(labels),
    }


def history(versions: Iterable[AssetVersion]) -> list[Mapping[str, Any]]:
    """Return what each version was logged to score, in the order of `versions`; those without metrics are left out."""
    read = [(each.version, dict(Lineage.from_tags(each.tags).metrics)) for each in versions]
    return [{"version": version, "metrics": metrics} for version, metrics in read if metrics]


def _counts(labels: Labels, probabilities: Probabilities) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return how many false and true positives each threshold calls, from the strictest threshold to the laxest."""
    order = np.argsort(-probabilities, kind="stable")
    found = np.cumsum(labels[order])
    # Rows of one probability are called together, so only the last of them is a threshold.
    last = np.append(np.flatnonzero(np.diff(probabilities[order])), len(labels) - 1)
    return last + 1 - found[last], found[last]


def _roc(labels: Labels, probabilities: Probabilities) -> list[list[float]]:
    false, true = _counts(labels, probabilities)
    x = np.append(0.0, false / (len(labels) - labels.sum()))
    return _thinned(x, np.append(0.0, true / labels.sum()))


def _precision_recall(labels: Labels, probabilities: Probabilities) -> list[list[float]]:
    false, true = _counts(labels, probabilities)
    # The strictest thresholds call a handful of rows, and the precision of a handful is chance.
    told = true >= _LEAST_RECALL * labels.sum()
    false, true = false[told], true[told]
    return _thinned(true / labels.sum(), true / (true + false))


def _calibration(labels: Labels, probabilities: Probabilities) -> list[list[float]]:
    bins = np.minimum((probabilities * BINS).astype(np.int64), BINS - 1)
    return [
        [*_rounded(probabilities[rows].mean(), labels[rows].mean()), int(rows.sum())]
        for rows in (bins == number for number in range(BINS))
        if rows.any()
    ]


def _thinned(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> list[list[float]]:
    """Return at most POINTS points of a curve, its ends among them."""
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), POINTS)).round().astype(np.int64))
    return [_rounded(x[place], y[place]) for place in kept]


def _rounded(*numbers: float) -> list[float]:
    return [round(float(number), _DIGITS) for number in numbers]
