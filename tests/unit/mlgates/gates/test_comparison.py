import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve

from mlgates.core.lineage import Lineage
from mlgates.core.values import AssetVersion
from mlgates.evaluation.answers import Answers, Probabilities
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.rows import Rows
from mlgates.evaluation.target import EvaluationConfig, Labels, Target, Task
from mlgates.gates.comparison import DOTS, POINTS, history, pictures_of
from mlgates.gates.comparison import curves as curves_of
from mlgates.gates.evidence import Evidence
from tests.unit.mlgates.gates.fakes import FakeModel, binary_answers, binary_rows


@st.composite
def judged(draw: st.DrawFn, rows: int = 40) -> tuple[Labels, Labels, Probabilities]:
    """Labels of which both occur, and classes and probabilities of the same rows, ties among them."""
    count = draw(st.integers(2, rows))
    labels = np.array([0, 1, *draw(st.lists(st.integers(0, 1), min_size=count - 2, max_size=count - 2))])
    tenths = draw(st.lists(st.integers(0, 10), min_size=count, max_size=count))
    probabilities = np.array(tenths) / 10
    return labels, (probabilities >= 0.5).astype(np.int64), probabilities


def curves(labels: Labels, classes: Labels, probabilities: Probabilities) -> dict[str, Any]:
    return curves_of(binary_rows(labels), binary_answers(probabilities, classes))


@given(judged())
def test_the_roc_curve_is_scikit_learns(rows: tuple[Labels, Labels, Probabilities]) -> None:
    labels, classes, probabilities = rows
    false, true, _ = roc_curve(labels, probabilities, drop_intermediate=False)
    assert np.allclose(curves(labels, classes, probabilities)["roc"], np.column_stack([false, true]), atol=1e-5)


@given(judged())
def test_the_precision_recall_curve_is_scikit_learns(rows: tuple[Labels, Labels, Probabilities]) -> None:
    labels, classes, probabilities = rows
    precision, recall, _ = precision_recall_curve(labels, probabilities)
    # Its last point, recall 0 with precision 1, is no threshold's; its order is from the laxest threshold on.
    expected = np.column_stack([recall, precision])[:-1][::-1]
    in_reach = expected[expected[:, 0] >= 0.01]
    assert np.allclose(curves(labels, classes, probabilities)["precision_recall"], in_reach, atol=1e-5)


@given(judged())
def test_the_confusion_matrix_is_scikit_learns(rows: tuple[Labels, Labels, Probabilities]) -> None:
    labels, classes, _ = rows
    assert curves(*rows)["confusion"] == confusion_matrix(labels, classes, labels=[0, 1]).tolist()


@given(judged())
def test_the_bins_of_the_calibration_hold_every_row_once(rows: tuple[Labels, Labels, Probabilities]) -> None:
    labels, _, probabilities = rows
    means, shares, counts = np.array(curves(*rows)["calibration"]).T
    assert counts.sum() == len(labels)
    assert np.isclose((means * counts).sum(), probabilities.sum(), atol=1e-3)
    assert np.isclose((shares * counts).sum(), labels.sum(), atol=1e-3)


def test_long_curves_are_thinned_and_keep_their_ends() -> None:
    draw = np.random.default_rng(0)
    labels, probabilities = draw.integers(0, 2, 5000), draw.random(5000)
    drawn = curves(labels, labels, probabilities)
    assert (len(drawn["roc"]), len(drawn["precision_recall"])) == (POINTS, POINTS)
    assert (drawn["roc"][0], drawn["roc"][-1]) == ([0.0, 0.0], [1.0, 1.0])
    assert drawn["precision_recall"][-1] == [1.0, pytest.approx(labels.mean(), abs=1e-5)]
    assert len(json.dumps(drawn)) < 8000


def test_rows_of_one_class_have_no_roc_curve_but_a_confusion_matrix() -> None:
    drawn = curves(np.zeros(3, np.int64), np.ones(3, np.int64), np.full(3, 0.9))
    assert (drawn["roc"], drawn["precision_recall"], drawn["confusion"]) == ([], [], [[0, 3], [0, 0]])


class Says(FakeModel):
    """A model that says the same of every row, or cannot say anything."""

    def __init__(self, name: str, probability: float | None) -> None:
        super().__init__(name)
        self._probability = probability

    def answer(self, rows: Rows, config: EvaluationConfig) -> Answers:
        if self._probability is None:
            raise CouldNotRun(f"{self.name} cannot be loaded")
        return binary_answers(np.full(len(rows), self._probability))


def compared(candidate: float | None, champion: float | None) -> dict[str, Any]:
    table = binary_rows([0, 1, 1], pd.DataFrame({"a": [1.0, 2.0, 3.0]}))
    models = Says("model:2", candidate), Says("model:1", champion)
    return pictures_of(Evidence(Path(), *models, fetch_held_out=lambda _: table))


def test_a_picture_that_fails_is_told_and_ends_nothing() -> None:
    class Faulty(FakeModel):
        def answer(self, rows: Rows, config: EvaluationConfig) -> Answers:
            raise ZeroDivisionError("of its own")

    table = binary_rows([0, 1])
    pictures = pictures_of(Evidence(Path(), Faulty("model:2"), fetch_held_out=lambda _: table))
    assert pictures["missing"] == {"candidate": "ZeroDivisionError: of its own"}


def test_a_regression_is_drawn_by_rows_and_what_they_are_off() -> None:
    labels = np.arange(1000.0)
    rows = Rows(pd.DataFrame({"a": labels}), labels, target=Target(Task.REGRESSION, "price"))
    drawn = curves_of(rows, Answers(labels + 1))
    assert (len(drawn["predicted"]), drawn["predicted"][0], drawn["residuals"][-1]) == (
        DOTS,
        [0.0, 1.0],
        [1000.0, -1.0],
    )
    assert (drawn["roc"], drawn["confusion"]) == ([], [])


def test_several_classes_have_a_confusion_matrix_of_as_many() -> None:
    target = Target(Task.MULTICLASS, "unit", ("a", "b", "c"))
    drawn = curves_of(
        Rows(pd.DataFrame(index=range(3)), np.array([0, 1, 2]), target=target), Answers(np.array([0, 2, 2]))
    )
    assert drawn["confusion"] == [[1, 0, 0], [0, 0, 1], [0, 0, 1]]


def test_both_models_are_scored_on_the_same_rows() -> None:
    scores = compared(0.9, 0.1)["scores"]
    assert (scores["candidate"]["recall"], scores["champion"]["recall"]) == (1.0, 0.0)


def test_a_champion_that_cannot_be_loaded_says_so_and_the_candidate_is_still_drawn() -> None:
    pictures = compared(0.9, None)
    assert set(pictures["curves"]) == {"candidate"}
    assert pictures["missing"] == {"champion": "model:1 cannot be loaded"}


def test_the_history_keeps_the_order_and_leaves_out_versions_without_metrics() -> None:
    def version(number: int, **metrics: float) -> AssetVersion:
        tags = Lineage("j", "c", "False", "d:1", "s", "o", "e:1", metrics).to_tags()
        return AssetVersion("m", str(number), created=False, tags=tags)

    assert history([version(1, auc=0.5), version(2), version(3, auc=0.75)]) == [
        {"version": "1", "metrics": {"auc": 0.5}},
        {"version": "3", "metrics": {"auc": 0.75}},
    ]
