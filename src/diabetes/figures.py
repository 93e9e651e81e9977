"""How good a model is, to the eye: four figures of the test set."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.calibration import CalibrationDisplay
from sklearn.metrics import ConfusionMatrixDisplay, PrecisionRecallDisplay, RocCurveDisplay

from diabetes.evaluation import Predictions


def draw(predictions: Predictions) -> Mapping[str, Figure]:
    """Draw every figure: file name to figure. They are not in pyplot's registry, so need no closing."""
    return {
        "roc_curve.png": roc_curve(predictions),
        "precision_recall_curve.png": precision_recall_curve(predictions),
        "confusion_matrix.png": confusion_matrix(predictions),
        "calibration_curve.png": calibration_curve(predictions),
    }


def roc_curve(predictions: Predictions) -> Figure:
    """Draw true against false positive rate, over all thresholds."""
    figure, axes = _blank("ROC curve")
    RocCurveDisplay.from_predictions(
        predictions.labels, predictions.probabilities, ax=axes, name="model", plot_chance_level=True
    )
    return figure


def precision_recall_curve(predictions: Predictions) -> Figure:
    """Draw precision against recall, over all thresholds."""
    figure, axes = _blank("Precision and recall")
    PrecisionRecallDisplay.from_predictions(
        predictions.labels, predictions.probabilities, ax=axes, name="model", plot_chance_level=True
    )
    return figure


def confusion_matrix(predictions: Predictions) -> Figure:
    """Draw the counts of patients by true and predicted class."""
    figure, axes = _blank("Confusion matrix")
    ConfusionMatrixDisplay.from_predictions(
        predictions.labels, predictions.classes, ax=axes, display_labels=("healthy", "diabetic"), colorbar=False
    )
    return figure


def calibration_curve(predictions: Predictions) -> Figure:
    """Draw the share of diabetics against the probability given, in ten bins of as many patients each."""
    figure, axes = _blank("Calibration")
    CalibrationDisplay.from_predictions(
        predictions.labels, predictions.probabilities, n_bins=10, strategy="quantile", ax=axes, name="model"
    )
    return figure


def _blank(title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6, 6))
    return figure, figure.add_subplot(title=title)
