from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.evaluation.answers import Answers, answers_of
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.target import EvaluationConfig, Target, Task

BINARY = Target(Task.BINARY, "ill", ("no", "yes"))
TURNED = Target(Task.BINARY, "ill", ("yes", "no"))
SEVERAL = Target(Task.MULTICLASS, "unit", ("g", "mg", "mmol"))
PRICE = Target(Task.REGRESSION, "price")
chances = st.lists(st.floats(0.01, 0.99), min_size=1, max_size=20)


def answered(raw: Any, target: Target, rows: int = 2, native: Any = None, **declared: Any) -> Answers:
    config = EvaluationConfig.model_validate({"label": "y", **declared})
    return answers_of(raw, rows, target, config, whose="m", native=native)


@pytest.mark.parametrize(
    "raw",
    [
        ["no", "yes"],
        np.array(["no", "yes"]),
        np.array([["no"], ["yes"]]),
        pd.Series(["no", "yes"], index=[7, 9]),
        pd.DataFrame({"ill": ["no", "yes"]}),
        {"ill": ["no", "yes"]},
        [{"ill": "no"}, {"ill": "yes"}],
    ],
)
def test_one_prediction_a_row_in_any_form_is_the_same(raw: Any) -> None:
    assert list(answered(raw, BINARY).values) == [0, 1]


@pytest.mark.parametrize("raw", [["no"], ["no", "yes", "no"], np.zeros((3, 2))])
def test_another_number_of_predictions_is_refused(raw: Any) -> None:
    with pytest.raises(CouldNotRun, match=f"m gave {len(raw)} predictions for 2 rows"):
        answered(raw, BINARY)


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(CouldNotRun, match="m answers with a dict that is no table of predictions"):
        answered({"a": [1], "b": [1, 2]}, BINARY)


@given(chances)
def test_one_number_between_0_and_1_is_the_probability_of_the_higher_class(drawn: list[float]) -> None:
    for classes, expected in (((0, 1), np.array(drawn)), ((2, 1), 1 - np.array(drawn))):
        found = answered(np.array(drawn), Target(Task.BINARY, "ill", classes), len(drawn))
        assert found.positive == pytest.approx(expected)
        assert list(found.values) == list((found.positive > 0.5).astype(int))


def test_one_number_between_0_and_1_is_the_probability_of_the_declared_class() -> None:
    assert list(answered(np.array([0.2, 0.9]), TURNED, positive="no").positive) == [0.2, 0.9]


def test_of_texts_nobody_knows_whose_one_probability_is() -> None:
    with pytest.raises(CouldNotRun, match="m gives one probability a row, and nobody says whether that of no or yes"):
        answered(np.array([0.2, 0.9]), BINARY)


@given(st.permutations(["g", "mg", "mmol"]))
def test_columns_stand_for_the_classes_in_the_order_of_the_model(order: list[str]) -> None:
    raw = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
    found = answered(raw, SEVERAL, native=(raw, order))
    assert [found.by_class[0][SEVERAL.classes.index(name)] for name in order] == pytest.approx([0.7, 0.2, 0.1])


def test_a_class_that_the_model_never_saw_has_no_column() -> None:
    raw = np.array([[0.7, 0.3], [0.1, 0.9]])
    assert answered(raw, SEVERAL, native=(raw, ["g", "mmol"])).by_class[1] == pytest.approx([0.1, 0, 0.9])


def test_two_outputs_of_one_name_are_refused() -> None:
    with pytest.raises(CouldNotRun, match="m has two outputs 'a'"):
        answered(pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), PRICE)


def test_lists_are_no_classes() -> None:
    with pytest.raises(CouldNotRun, match="lists and no single values"):
        answered(pd.Series([["no"], ["yes"]]), BINARY)


@given(st.lists(st.tuples(*[st.floats(0.01, 1)] * 3), min_size=1, max_size=10))
def test_a_column_a_class_that_adds_up_to_1_is_probabilities(drawn: list[tuple[float, ...]]) -> None:
    matrix = np.array(drawn) / np.sum(drawn, axis=1, keepdims=True)
    found = answered(matrix, SEVERAL, len(matrix))
    assert found.probabilities == pytest.approx(matrix)
    assert list(found.values) == list(matrix.argmax(axis=1))


def test_columns_named_after_the_classes_are_matched_by_name() -> None:
    raw = pd.DataFrame({"mmol": [0.7, 0.2], "mg": [0.2, 0.2], "g": [0.1, 0.6]})
    assert answered(raw, SEVERAL).by_class[0] == pytest.approx([0.1, 0.2, 0.7])


class TestDeclared:
    RAW = pd.DataFrame({"class": ["no", "yes"], "chance": [0.3, 0.6], "made": ["2026", "2026"]})

    def test_outputs_are_found_by_name(self) -> None:
        found = answered(self.RAW, BINARY, prediction="class", probabilities={"chance": "yes"})
        assert list(found.values) == [0, 1]
        assert list(found.positive) == [0.3, 0.6]

    def test_the_output_that_is_no_probability_is_the_prediction(self) -> None:
        raw = pd.DataFrame({"class": ["yes", "yes"], "chance": [0.3, 0.6]})
        assert list(answered(raw, BINARY, probabilities={"chance": "yes"}).values) == [1, 1]

    def test_several_outputs_without_a_word_are_asked_back(self) -> None:
        with pytest.raises(CouldNotRun, match=r"m has 3 outputs .*, and none is said to be the prediction"):
            answered(self.RAW, BINARY)

    def test_an_output_that_is_not_there_is_named(self) -> None:
        with pytest.raises(CouldNotRun, match="m has no output 'klass', but class, chance, made"):
            answered(self.RAW, BINARY, prediction="klass")
        with pytest.raises(CouldNotRun, match="m has no output 'chances'"):
            answered(self.RAW, BINARY, prediction="class", probabilities={"chances": "yes"})

    def test_a_class_without_a_probability_is_named(self) -> None:
        raw = pd.DataFrame({"g": [0.5, 0.5], "mg": [0.5, 0.5]})
        with pytest.raises(CouldNotRun, match="no output of m is declared as the probability of mmol"):
            answered(raw, SEVERAL, probabilities={"g": "g", "mg": "mg"})

    def test_an_interval_is_two_outputs_and_the_rest_the_prediction(self) -> None:
        raw = pd.DataFrame({"price": [2.0, 3.0], "low": [1.0, 2.0], "high": [3.0, 4.0]})
        found = answered(raw, PRICE, interval=["low", "high"])
        assert found.interval is not None
        assert (found.values.tolist(), found.interval.tolist()) == ([2, 3], [[1, 3], [2, 4]])

    def test_an_interval_upside_down_is_refused(self) -> None:
        raw = pd.DataFrame({"price": [2.0, 3.0], "low": [1.0, 2.0], "high": [3.0, 4.0]})
        with pytest.raises(CouldNotRun, match="bounds that are missing or crossed"):
            answered(raw, PRICE, interval=["high", "low"])


class TestNative:
    def test_probabilities_of_the_flavor_are_put_in_the_order_of_the_classes(self) -> None:
        native = (np.array([[0.1, 0.9], [0.7, 0.3]]), np.array(["no", "yes"]))
        assert list(answered(["yes", "no"], TURNED, native=native).positive) == pytest.approx([0.1, 0.7])

    def test_a_class_that_the_model_never_saw_has_no_chance(self) -> None:
        native = (np.array([[0.1, 0.9], [0.7, 0.3]]), ["g", "mmol"])
        assert answered(["g", "g"], SEVERAL, native=native).by_class[0] == pytest.approx([0.1, 0, 0.9])

    @pytest.mark.parametrize(
        ("matrix", "wrong"),
        [
            ([[np.nan, 1], [0.5, 0.5]], "no number as probability in 1 of 2 rows"),
            ([[0.5, 0.6], [0.5, 0.5]], "add up to 1.1 in row 1"),
            ([[-0.5, 1.5], [0.5, 0.5]], "probabilities from -0.5 to 1.5"),
            ([[1.0], [1.0]], "add up"),
            ([[0.2, 0.3, 0.5], [0.2, 0.3, 0.5]], r"probabilities of shape \(2, 3\)"),
        ],
    )
    def test_what_are_no_probabilities_is_refused(self, matrix: list[list[float]], wrong: str) -> None:
        if wrong == "add up":
            matrix = [[0.4], [0.4]]
        with pytest.raises(CouldNotRun, match=wrong):
            answered(["yes", "no"], BINARY, native=(np.array(matrix), None))


@pytest.mark.parametrize("value", [np.nan, None])
def test_a_prediction_that_is_missing_is_refused(value: object) -> None:
    with pytest.raises(CouldNotRun, match="prediction of m: 1 of 2 values are missing"):
        answered([1.5, value], PRICE)


def test_without_a_task_nothing_is_judged() -> None:
    assert answered(["anything", {}], Target(Task.NONE)).values.size == 0
