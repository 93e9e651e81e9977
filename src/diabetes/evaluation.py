"""How good a model is: seven numbers measured on rows that it has not seen."""

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from sklearn import metrics
from sklearn.pipeline import Pipeline

from diabetes.split import Part


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model says of some patients, and the truth: three arrays of one length."""

    labels: npt.NDArray[np.int64]
    """The truth, 0 or 1; both occur."""
    classes: npt.NDArray[np.int64]
    """The class that the model gives, 0 or 1."""
    probabilities: npt.NDArray[np.float64]
    """The probability of class 1 that the model gives, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """Of the test set, class 1 being the positive one; MLflow keeps them under these names.

    Higher is better (0 to 1), except for `brier`, the mean squared error of the probability (0 to 1), and
    `log_loss`, in nats (0 and up).
    """

    accuracy: float
    auc: float
    precision: float
    recall: float
    f1: float
    brier: float
    log_loss: float

    def as_dict(self) -> dict[str, float]:
        """Return name and value of each."""
        return asdict(self)


def predict(model: Pipeline, part: Part) -> Predictions:
    """Ask a fitted model about the patients of a part."""
    return Predictions(
        labels=part.labels.to_numpy(),
        classes=model.predict(part.features),
        probabilities=model.predict_proba(part.features)[:, 1],
    )


def evaluate(predictions: Predictions) -> Metrics:
    """Measure. Precision, recall and F1 are 0, not undefined, for a model that calls no one diabetic."""
    labels, classes, probabilities = predictions.labels, predictions.classes, predictions.probabilities
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, classes, average="binary", zero_division=0.0
    )
    return Metrics(
        accuracy=float(metrics.accuracy_score(labels, classes)),
        auc=float(metrics.roc_auc_score(labels, probabilities)),
        precision=float(precision),
        recall=float(recall),
        f1=float(f1),
        brier=float(metrics.brier_score_loss(labels, probabilities)),
        log_loss=float(metrics.log_loss(labels, probabilities)),
    )
