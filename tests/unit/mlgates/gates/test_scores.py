import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from mlgates.gates.scores import SCORES, auc, of_draws, precision, recall

Rows = list[tuple[int, float]]
rows = st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7, 1.0])), min_size=2, max_size=60)
both_classes = rows.filter(lambda drawn: len({label for label, _ in drawn}) == 2)


def arrays(drawn: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    labels, probabilities = np.array([label for label, _ in drawn]), np.array([chance for _, chance in drawn])
    return labels, (probabilities >= 0.5).astype(int), probabilities


@given(both_classes)
def test_each_score_is_scikit_learns(drawn: Rows) -> None:
    labels, classes, probabilities = arrays(drawn)
    theirs = {
        "accuracy": metrics.accuracy_score(labels, classes),
        "auc": metrics.roc_auc_score(labels, probabilities),
        "brier": metrics.brier_score_loss(labels, probabilities),
        "precision": metrics.precision_score(labels, classes, zero_division=0.0),
        "recall": metrics.recall_score(labels, classes),
    }
    ours = {name: score(labels, classes, probabilities) for name, score in SCORES.items()}
    assert ours == pytest.approx(theirs)


@given(both_classes, st.data())
def test_a_draw_of_rows_scores_as_scikit_learn_scores_those_rows(drawn: Rows, data: st.DataObject) -> None:
    labels, classes, probabilities = arrays(drawn)
    numbers = st.integers(0, len(labels) - 1)
    picked = np.array(data.draw(st.lists(numbers, min_size=len(labels), max_size=len(labels))))
    for name, score in SCORES.items():
        expected = score(labels[picked], classes[picked], probabilities[picked])
        assert of_draws(name, labels, classes, probabilities)(picked) == pytest.approx(expected, nan_ok=True)


@given(both_classes)
def test_turning_the_probabilities_round_turns_the_auc_round(drawn: Rows) -> None:
    labels, classes, probabilities = arrays(drawn)
    there, back = auc(labels, classes, probabilities), auc(labels, classes, 1 - probabilities)
    assert there + back == pytest.approx(1)


@pytest.mark.parametrize("score", [auc, recall])
def test_without_positive_rows_there_is_no_score(score: object) -> None:
    nobody = np.zeros(3, dtype=int)
    assert np.isnan(score(nobody, nobody, np.zeros(3)))  # type: ignore[operator]


def test_precision_is_0_when_nobody_is_called_positive() -> None:
    assert precision(np.array([0, 1]), np.array([0, 0]), np.zeros(2)) == 0.0
