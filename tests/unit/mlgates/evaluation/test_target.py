from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.target import EvaluationConfig, Target, Task, find_target

LABELS = st.one_of(
    st.lists(st.integers(-5, 5), min_size=2, unique=True),
    st.lists(st.sampled_from(["no", "yes", "0", "a b", "é"]), min_size=2, unique=True),
    st.just([True, False]),
)


def found(labels: object, *, classifier: bool | None = None, **declared: object) -> Target:
    config = EvaluationConfig.model_validate({"label": "y", **declared})
    return find_target(config, pd.Series(labels), classifier=lambda: classifier)


class TestTask:
    @pytest.mark.parametrize(
        ("labels", "task"),
        [
            ([0, 1, 1], "binary"),
            ([1, 2, 1], "binary"),
            ([-1, 1, 1], "binary"),
            (["no", "yes"], "binary"),
            ([True, False], "binary"),
            ([0.0, 1.0], "binary"),
            ([0, 1, 2], "multiclass"),
            (["a", "b", "c"], "multiclass"),
            ([0.5, 1.5, 2.7], "regression"),
            (list(range(30)), "regression"),
            (pd.Categorical([1.5, 2.5, 3.5]), "regression"),
            (pd.Categorical(["a", "b", "a"]), "binary"),
            ([Decimal("1.5"), Decimal("2.25")], "regression"),
        ],
    )
    def test_it_is_found_from_the_labels(self, labels: object, task: str) -> None:
        target = found(labels)
        assert target.task == task
        assert "task found from" in target.inferred

    @pytest.mark.parametrize(("classifier", "task"), [(True, "multiclass"), (False, "regression")])
    def test_of_whole_numbers_the_model_decides(self, classifier: bool, task: str) -> None:
        assert found([1, 2, 3, 4], classifier=classifier).task == task

    def test_what_is_declared_counts(self) -> None:
        assert found([0, 1, 2], task="regression").task == Task.REGRESSION
        assert found(list(range(30)), task="multiclass").task == Task.MULTICLASS

    def test_a_label_of_one_class_cannot_be_judged(self) -> None:
        with pytest.raises(CouldNotRun, match="the label y is 1 in every row"):
            found([1, 1, 1])

    def test_a_label_without_values_cannot_be_judged(self) -> None:
        with pytest.raises(CouldNotRun, match="the label y has no values"):
            found([None, None])

    def test_a_label_that_is_not_there_is_said(self) -> None:
        with pytest.raises(CouldNotRun, match="the data has no column y"):
            find_target(EvaluationConfig(label="y"), None)

    def test_without_a_task_there_are_no_labels(self) -> None:
        assert find_target(EvaluationConfig(task=Task.NONE), None).task == Task.NONE

    def test_three_classes_are_not_binary(self) -> None:
        with pytest.raises(CouldNotRun, match="the label y has 3 classes, two are needed: 0, 1, 2"):
            found([0, 1, 2], task="binary")


class TestPositiveClass:
    @pytest.mark.parametrize(
        ("labels", "positive"),
        [
            ([0, 1], 1),
            ([1, 2], 2),
            (["0", "1"], "1"),
            ([-1, 1], 1),
            (["no", "yes"], "yes"),
            (["yes", "z"], "yes"),
            ([True, False], True),
        ],
    )
    def test_it_is_found_and_said(self, labels: list[object], positive: object) -> None:
        target = found(labels)
        assert target.classes[1] == positive
        assert f"{positive} taken for the positive class" in target.summary

    def test_the_declared_one_counts(self) -> None:
        assert found(["bad", "good"], positive="bad").classes == ("good", "bad")

    def test_one_that_never_occurs_is_said(self) -> None:
        with pytest.raises(CouldNotRun, match="the label y is never 'ill', declared as positive, but 'no', 'yes'"):
            found(["no", "yes"], positive="ill")


class TestEncoding:
    @given(LABELS, st.data())
    def test_labels_become_the_places_of_their_classes(
        self, classes: list[int] | list[str] | list[bool], data: st.DataObject
    ) -> None:
        target = found(pd.Series(classes, dtype=object), task="multiclass" if len(classes) > 2 else "binary")
        drawn = data.draw(st.lists(st.sampled_from(classes), min_size=1))
        encoded = target.encode(pd.Series(drawn, dtype=object), "labels")
        assert [str(target.classes[int(number)]) for number in encoded] == [str(plain) for plain in drawn]

    def test_a_model_may_say_1_0_for_1_and_text_for_a_number(self) -> None:
        target = found([1, 2])
        assert list(target.encode(np.array([1.0, 2.0]), "m")) == [0, 1]
        assert list(target.encode(["2", "1"], "m")) == [1, 0]

    def test_an_unknown_class_is_named(self) -> None:
        with pytest.raises(CouldNotRun, match=r"prediction of m: 2\.7 is none of the classes 0, 1"):
            found([0, 1]).encode(np.array([0, 2.7]), "prediction of m")

    def test_missing_values_are_counted(self) -> None:
        with pytest.raises(CouldNotRun, match="label y: 1 of 2 values are missing"):
            found([0, 1]).encode(np.array([0, np.nan]), "label y")

    def test_infinite_quantities_are_counted(self) -> None:
        with pytest.raises(CouldNotRun, match="m: 1 of 2 values are infinite"):
            found([0.5, 1.5]).encode(np.array([0.5, np.inf]), "m")

    def test_texts_are_no_quantities(self) -> None:
        with pytest.raises(CouldNotRun, match="m: not numbers"):
            found([0.5, 1.5]).encode(["a", "b"], "m")


@pytest.mark.parametrize(
    ("declared", "wrong"),
    [
        ({}, "say which column is predicted"),
        ({"label": "y", "task": "regression", "positive": 1}, "has no classes"),
        ({"label": "y", "interval": ["low"]}, "interval names two outputs"),
        ({"label": "y", "task": "binary", "classes": [1, 2, 3]}, "a binary task has two classes"),
        ({"label": "y", "classes": ["a", "b"], "positive": "c"}, "not among classes"),
        ({"label": "y", "task": "ranking"}, "'binary', 'multiclass', 'regression' or 'none'"),
    ],
)
def test_what_contradicts_itself_is_refused(declared: dict[str, object], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        EvaluationConfig.model_validate(declared)
