import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.figure import Figure

from diabetes import figures
from diabetes.evaluation import Predictions


@pytest.fixture
def predictions() -> Predictions:
    """Of six diabetics and four healthy patients, five and three are told right."""
    classes = np.array([1, 1, 1, 1, 1, 0, 1, 0, 0, 0])
    return Predictions(np.array([1] * 6 + [0] * 4), classes, np.where(classes == 1, 0.8, 0.2))


def line(figure: Figure, number: int) -> npt.NDArray[np.float64]:
    return np.asarray(figure.axes[0].lines[number].get_xydata(), dtype=np.float64)


def test_four_figures_are_drawn(predictions: Predictions) -> None:
    assert set(figures.draw(predictions)) == {
        "roc_curve.png",
        "precision_recall_curve.png",
        "confusion_matrix.png",
        "calibration_curve.png",
    }


def test_the_roc_curve_goes_from_corner_to_corner(predictions: Predictions) -> None:
    curve = line(figures.roc_curve(predictions), 0)
    np.testing.assert_allclose(curve, [(0, 0), (1 / 4, 5 / 6), (1, 1)])


def test_the_precision_recall_curve_starts_at_the_share_of_diabetics(predictions: Predictions) -> None:
    curve = line(figures.precision_recall_curve(predictions), 0)
    np.testing.assert_allclose(curve, [(1, 6 / 10), (5 / 6, 5 / 6), (0, 1)])


def test_the_confusion_matrix_counts_patients(predictions: Predictions) -> None:
    counts = [text.get_text() for text in figures.confusion_matrix(predictions).axes[0].texts]
    assert counts == ["3", "1", "1", "5"]


def test_the_calibration_curve_sets_shares_against_probabilities(predictions: Predictions) -> None:
    curve = line(figures.calibration_curve(predictions), 1)
    np.testing.assert_allclose(curve, [(0.2, 1 / 4), (0.8, 5 / 6)])


def test_a_figure_has_a_title(predictions: Predictions) -> None:
    assert all(figure.axes[0].get_title() for figure in figures.draw(predictions).values())
