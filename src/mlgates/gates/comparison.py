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
from mlgates.gates.checks.calibration import bins_of
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
    from sklearn.metrics import confusion_matrix  # noqa: PLC0415

    both = 0 < int(labels.sum()) < len(labels)
    return {
        "roc": _roc(labels, probabilities) if both else [],
        "precision_recall": _precision_recall(labels, probabilities) if both else [],
        "calibration": [
            [*_rounded(each.predicted, each.observed), each.rows] for each in bins_of(labels, probabilities, BINS)
        ],
        "confusion": confusion_matrix(labels, classes, labels=[0, 1]).tolist(),
        "rows": len(labels),
    }


def history(versions: Iterable[AssetVersion]) -> list[Mapping[str, Any]]:
    """Return what each version was logged to score, in the order of `versions`; those without metrics are left out."""
    read = [(each.version, dict(Lineage.from_tags(each.tags).metrics)) for each in versions]
    return [{"version": version, "metrics": metrics} for version, metrics in read if metrics]


def _roc(labels: Labels, probabilities: Probabilities) -> list[list[float]]:
    from sklearn.metrics import roc_curve  # noqa: PLC0415 - see mlgates.gates.scores

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
