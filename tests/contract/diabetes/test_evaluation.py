import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diabetes.evaluation import Predictions, evaluate
from tests.unit.diabetes.frames import QUICK


def judged(labels: list[int], probabilities: list[float]) -> Predictions:
    given_ = np.array(probabilities)
    return Predictions(np.array(labels), (given_ > 0.5).astype("int64"), given_)


@st.composite
def predictions(draw: st.DrawFn) -> Predictions:
    labels = [0, 1, *draw(st.lists(st.sampled_from([0, 1]), max_size=30))]
    percent = st.sampled_from([*range(1, 50), *range(51, 100)])  # 50 would be neither class
    return judged(labels, [p / 100 for p in draw(st.lists(percent, min_size=len(labels), max_size=len(labels)))])


def test_a_case_worked_by_hand() -> None:
    measured = evaluate(judged([1, 1, 1, 0, 0], [0.9, 0.8, 0.2, 0.6, 0.1]))
    assert dataclasses.astuple(measured) == pytest.approx(
        (
            3 / 5,  # right: 0.9, 0.8 and 0.1
            5 / 6,  # of the six pairs of a diabetic and a healthy patient, only 0.2 against 0.6 is in the wrong order
            2 / 3,
            2 / 3,
            2 / 3,
            (0.01 + 0.04 + 0.64 + 0.36 + 0.01) / 5,
            -np.log([0.9, 0.8, 0.2, 0.4, 0.9]).mean(),
        )
    )


def test_certain_and_right_is_the_best_there_is() -> None:
    measured = evaluate(judged([0, 1, 1], [0.0, 1.0, 1.0]))
    assert dataclasses.astuple(measured) == pytest.approx((1, 1, 1, 1, 1, 0, 0))


def test_a_model_that_calls_no_one_diabetic_has_no_precision() -> None:
    measured = evaluate(judged([0, 1], [0.1, 0.2]))
    assert (measured.precision, measured.recall, measured.f1) == (0.0, 0.0, 0.0)


@QUICK
@given(predictions())
def test_flipped_labels_turn_the_accuracy_round(given_: Predictions) -> None:
    flipped = dataclasses.replace(given_, labels=1 - given_.labels)
    assert evaluate(flipped).accuracy == pytest.approx(1 - evaluate(given_).accuracy)


@QUICK
@given(predictions())
def test_flipped_labels_turn_the_auc_round(given_: Predictions) -> None:
    flipped = dataclasses.replace(given_, labels=1 - given_.labels)
    assert evaluate(flipped).auc == pytest.approx(1 - evaluate(given_).auc)


@QUICK
@given(predictions())
def test_flipping_labels_and_answers_alike_changes_no_score(given_: Predictions) -> None:
    both = judged(list(1 - given_.labels), list(1 - given_.probabilities))
    ours, theirs = evaluate(given_), evaluate(both)
    assert (theirs.accuracy, theirs.auc, theirs.brier, theirs.log_loss) == pytest.approx(
        (ours.accuracy, ours.auc, ours.brier, ours.log_loss)
    )


@QUICK
@given(predictions())
def test_every_score_is_within_its_bounds(given_: Predictions) -> None:
    *scores, log_loss = dataclasses.astuple(evaluate(given_))
    assert all(0 <= score <= 1 for score in scores)
    assert log_loss >= 0


def test_metrics_are_logged_under_these_names() -> None:
    assert list(evaluate(judged([0, 1], [0.2, 0.7])).as_dict()) == [
        "accuracy",
        "auc",
        "precision",
        "recall",
        "f1",
        "brier",
        "log_loss",
    ]
