from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from mlgates.evaluation.answers import Answers
from mlgates.evaluation.draws import FASTER, of_draws
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.rows import Rows
from mlgates.evaluation.scores import DEFAULT, SCORES, USUAL, find_score, names_of
from mlgates.evaluation.target import Target, Task
from tests.unit.mlgates.gates.fakes import BINARY, binary_answers, binary_rows

Drawn = list[tuple[int, float]]
rows = st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7, 1.0])), min_size=2, max_size=60)
both_classes = rows.filter(lambda drawn: len({label for label, _ in drawn}) == 2)
quantities = st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=3, max_size=40)
SEVERAL = Target(Task.MULTICLASS, "unit", ("g", "mg", "mmol"))
PRICE = Target(Task.REGRESSION, "price")


def judged(drawn: Drawn) -> tuple[Rows, Answers]:
    return binary_rows([label for label, _ in drawn]), binary_answers([chance for _, chance in drawn])


def regressed(drawn: list[tuple[float, float]]) -> tuple[Rows, Answers]:
    labels, values = (np.array(each) for each in zip(*drawn, strict=True))
    return Rows(pd.DataFrame(index=range(len(labels))), labels, target=PRICE), Answers(values)


def classified(labels: list[int], probabilities: list[list[float]]) -> tuple[Rows, Answers]:
    matrix = np.array(probabilities)
    return (
        Rows(pd.DataFrame(index=range(len(labels))), np.array(labels), target=SEVERAL),
        Answers(matrix.argmax(axis=1), matrix),
    )


@given(both_classes)
def test_each_binary_score_is_scikit_learns(drawn: Drawn) -> None:
    held_out, answers = judged(drawn)
    labels, classes, positive = held_out.labels, answers.values, answers.positive
    theirs = {
        "accuracy": metrics.accuracy_score(labels, classes),
        "auc": metrics.roc_auc_score(labels, positive),
        "brier": metrics.brier_score_loss(labels, positive),
        "precision": metrics.precision_score(labels, classes, zero_division=0.0),
        "recall": metrics.recall_score(labels, classes),
    }
    assert {name: SCORES[name](held_out, answers) for name in USUAL[Task.BINARY]} == pytest.approx(theirs)


@given(quantities)
def test_each_score_of_a_regression_is_scikit_learns(drawn: list[tuple[float, float]]) -> None:
    held_out, answers = regressed(drawn)
    theirs = {
        "r2": metrics.r2_score(held_out.labels, answers.values),
        "rmse": metrics.root_mean_squared_error(held_out.labels, answers.values),
        "mae": metrics.mean_absolute_error(held_out.labels, answers.values),
        "median_ae": metrics.median_absolute_error(held_out.labels, answers.values),
    }
    assert {name: SCORES[name](held_out, answers) for name in USUAL[Task.REGRESSION]} == pytest.approx(theirs)


several = st.lists(st.tuples(st.integers(0, 2), *[st.floats(0.01, 1)] * 3), min_size=3, max_size=40)


def agrees(name: str, held_out: Rows, answers: Answers, picked: np.ndarray) -> bool:
    """Tell whether a draw scores as those rows do, one after the other."""
    score = find_score(name, held_out.target)
    expected = score(held_out.take(picked), answers.take(picked))
    found = of_draws(score, held_out, answers)(picked)
    return found == pytest.approx(expected, rel=1e-6, abs=1e-9, nan_ok=True)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true:UserWarning")
@pytest.mark.filterwarnings("ignore:A single label was found:UserWarning")
@given(both_classes, st.data())
def test_a_draw_of_rows_scores_as_scikit_learn_scores_those_rows(drawn: Drawn, data: st.DataObject) -> None:
    held_out, answers = judged(drawn)
    numbers = st.integers(0, len(held_out) - 1)
    picked = np.array(data.draw(st.lists(numbers, min_size=len(held_out), max_size=len(held_out))))
    names = [name for name in FASTER[Task.BINARY] if name not in {"roc_auc", "log_loss", "neg_log_loss"}]
    if 0 < held_out.labels[picked].sum() < len(picked):  # scikit-learn's scorer warns of one class
        names.append("roc_auc")
    assert [name for name in names if not agrees(name, held_out, answers, picked)] == []


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true:UserWarning")
@pytest.mark.filterwarnings("ignore:A single label was found:UserWarning")
@given(several, st.data())
def test_a_draw_of_several_classes_scores_as_scikit_learn_scores_those_rows(
    drawn: list[tuple[int, float, float, float]], data: st.DataObject
) -> None:
    matrix = np.array([row[1:] for row in drawn])
    held_out, answers = classified([row[0] for row in drawn], (matrix / matrix.sum(axis=1, keepdims=True)).tolist())
    picked = np.array(data.draw(st.lists(st.integers(0, len(drawn) - 1), min_size=1, max_size=40)))
    names = [name for name in FASTER[Task.MULTICLASS] if name not in {"roc_auc_ovr", "neg_log_loss"}]
    assert [name for name in names if not agrees(name, held_out, answers, picked)] == []


@given(quantities, st.data())
def test_a_draw_of_quantities_scores_as_scikit_learn_scores_those_rows(
    drawn: list[tuple[float, float]], data: st.DataObject
) -> None:
    held_out, answers = regressed(drawn)
    picked = np.array(data.draw(st.lists(st.integers(0, len(held_out) - 1), min_size=3, max_size=20)))
    if np.ptp(held_out.labels[picked]) > 1e-3:  # of equal labels r2 has no meaning
        assert [name for name in FASTER[Task.REGRESSION] if not agrees(name, held_out, answers, picked)] == []


@given(both_classes)
def test_turning_the_probabilities_round_turns_the_auc_round(drawn: Drawn) -> None:
    held_out, answers = judged(drawn)
    back = binary_answers(1 - answers.positive)
    assert SCORES["auc"](held_out, answers) + SCORES["auc"](held_out, back) == pytest.approx(1)


@given(both_classes, st.floats(0.1, 10))
def test_equal_weights_change_no_score(drawn: Drawn, weight: float) -> None:
    held_out, answers = judged(drawn)
    weighted = Rows(held_out.features, held_out.labels, target=BINARY, weights=np.full(len(held_out), weight))
    for name in names_of(Task.BINARY):
        assert SCORES[name](weighted, answers) == pytest.approx(SCORES[name](held_out, answers)), name


@pytest.mark.parametrize("name", ["auc", "recall"])
def test_without_positive_rows_there_is_no_score(name: str) -> None:
    assert np.isnan(SCORES[name](binary_rows([0, 0, 0]), binary_answers([0, 0, 0])))


def test_precision_is_0_when_nobody_is_called_positive() -> None:
    assert SCORES["precision"](binary_rows([0, 1]), binary_answers([0, 0])) == 0.0


def test_several_classes_are_scored_each_against_the_rest() -> None:
    held_out, answers = classified([0, 1, 2, 0], [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0, 0.4, 0.6], [0.3, 0.4, 0.3]])
    expected = metrics.roc_auc_score(held_out.labels, answers.probabilities, multi_class="ovr")
    assert SCORES["auc_ovr"](held_out, answers) == pytest.approx(expected)
    assert np.isnan(SCORES["auc_ovr"](held_out.take(np.array([0, 1])), answers.take(np.array([0, 1]))))


def test_the_coverage_of_an_interval_counts_its_bounds() -> None:
    held_out, _ = regressed([(1, 0), (2, 0), (3, 0)])
    answers = Answers(np.zeros(3), interval=np.array([[1, 2], [3, 4], [0, 9]]))
    assert SCORES["coverage"](held_out, answers) == pytest.approx(2 / 3)
    assert SCORES["interval_width"](held_out, answers) == pytest.approx(11 / 3)


class TestByName:
    @pytest.mark.parametrize("target", [BINARY, SEVERAL, PRICE])
    def test_every_task_has_a_default_that_is_its_own(self, target: Target) -> None:
        assert target.task in find_score(DEFAULT[target.task], target).tasks

    @pytest.mark.parametrize("name", ["matthews_corrcoef", "neg_log_loss", "roc_auc", "average_precision", "f1"])
    def test_a_scorer_of_scikit_learn_is_a_score(self, name: str) -> None:
        held_out, answers = binary_rows([0, 1, 1, 0]), binary_answers([0.2, 0.9, 0.4, 0.6])
        found = find_score(name, BINARY)(held_out, answers)
        labels, positive = held_out.labels, answers.positive
        theirs = {
            "matthews_corrcoef": metrics.matthews_corrcoef(labels, answers.values),
            "neg_log_loss": -metrics.log_loss(labels, positive),
            "roc_auc": metrics.roc_auc_score(labels, positive),
            "average_precision": metrics.average_precision_score(labels, positive),
            "f1": metrics.f1_score(labels, answers.values),
        }
        assert found == pytest.approx(theirs[name])

    def test_a_scorer_of_several_classes_gets_their_probabilities(self) -> None:
        held_out, answers = classified([0, 1, 2], [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0, 0.4, 0.6]])
        assert find_score("roc_auc_ovo", SEVERAL)(held_out, answers) == 1.0

    def test_a_scorer_of_a_regression_is_a_score(self) -> None:
        held_out, answers = regressed([(1, 2), (2, 2), (3, 5)])
        assert find_score("neg_max_error", PRICE)(held_out, answers) == -2

    @pytest.mark.parametrize("name", ["roc_auc", "matthews_corrcoef"])
    def test_a_scorer_of_classes_is_none_of_quantities(self, name: str) -> None:
        held_out, answers = regressed([(1, 2), (2, 2), (3, 5)])
        with pytest.raises(CouldNotRun, match=f"'{name}' is no score of a task 'regression'"):
            find_score(name, PRICE)(held_out, answers)

    @pytest.mark.parametrize("name", ["r2", "neg_mean_squared_error", "explained_variance"])
    def test_a_scorer_of_quantities_is_none_of_classes(self, name: str) -> None:
        with pytest.raises(CouldNotRun, match=f"'{name}' is no score of a task 'binary'"):
            find_score(name, BINARY)(binary_rows([0, 1]), binary_answers([0, 1]))

    def test_a_short_name_of_another_task_names_those_of_this(self) -> None:
        held_out, answers = regressed([(1, 2), (2, 2), (3, 5)])
        with pytest.raises(CouldNotRun, match=r"'auc' is no score of a task 'regression'\. Known: r2, rmse"):
            find_score("auc", PRICE)(held_out, answers)

    def test_a_name_that_nobody_has_is_asked_back(self) -> None:
        with pytest.raises(CouldNotRun, match=r"there is no score 'rsme'\. Did you mean 'rmse'"):
            find_score("rsme", PRICE)

    def test_probabilities_that_are_not_there_are_said(self) -> None:
        with pytest.raises(CouldNotRun, match="'auc' needs probabilities, and the model gives none"):
            SCORES["auc"](binary_rows([0, 1]), Answers(np.array([0, 1])))


class TestOwnFunction:
    @pytest.fixture
    def project(self, tmp_path: Path) -> Path:
        (tmp_path / "src").mkdir()
        (tmp_path / "src" / "costs_of_mine.py").write_text(
            "def missed(labels, predictions):\n"
            "    return sum(label == 'mg' != predicted for label, predicted in zip(labels, predictions))\n"
            "def sure(labels, predictions, probabilities):\n    return probabilities.max()\n"
            "def costly(labels, predictions, fn_cost=10.0):\n    return fn_cost\n"
            "def plain(labels, predictions, *, average='macro'):\n"
            "    from sklearn.metrics import f1_score\n    return f1_score(labels, predictions, average=average)\n"
            "def broken(labels, predictions):\n    raise KeyError('mine')\n"
        )
        return tmp_path

    def test_it_gets_labels_as_the_data_has_them(self, project: Path) -> None:
        held_out, answers = classified([1, 1, 2], [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0, 0.4, 0.6]])
        found = find_score("costs_of_mine:missed", SEVERAL, project, lower_is_better=True)
        assert (found(held_out, answers), found.lower_is_better) == (1, True)

    def test_it_gets_probabilities_when_it_takes_three_arguments(self, project: Path) -> None:
        held_out, answers = classified([1], [[0.8, 0.1, 0.1]])
        assert find_score("costs_of_mine:sure", SEVERAL, project)(held_out, answers) == 0.8

    def test_a_default_is_left_to_it(self, project: Path) -> None:
        held_out, answers = classified([1], [[0.8, 0.1, 0.1]])
        assert find_score("costs_of_mine:costly", SEVERAL, project)(held_out, answers) == 10

    def test_it_may_hand_what_it_gets_to_scikit_learn(self, project: Path) -> None:
        held_out, answers = binary_rows([0, 1, 1]), binary_answers([0.2, 0.9, 0.8])
        assert find_score("costs_of_mine:plain", BINARY, project)(held_out, answers) == 1
        assert find_score("sklearn.metrics:accuracy_score", BINARY)(held_out, answers) == 1

    def test_what_it_raises_is_told_with_its_name(self, project: Path) -> None:
        held_out, answers = classified([1], [[0.8, 0.1, 0.1]])
        with pytest.raises(CouldNotRun, match="costs_of_mine:broken failed: KeyError: 'mine'"):
            find_score("costs_of_mine:broken", SEVERAL, project)(held_out, answers)

    def test_one_that_is_not_there_is_said(self, project: Path) -> None:
        with pytest.raises(CouldNotRun, match="costs_of_mine:gone cannot be imported: AttributeError"):
            find_score("costs_of_mine:gone", SEVERAL, project)
