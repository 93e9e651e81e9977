import pytest

from mlgates.core.errors import ConfigurationError
from mlgates.scaffold.choices import Task
from mlgates.scaffold.errors import UnsuitableData
from mlgates.scaffold.target import find_target, infer_task, read_target
from tests.unit.mlgates.scaffold.tables import column_of

TASKS = {
    "two numbers": ([0, 1] * 10, Task.BINARY, "int64"),
    "two fractions": ([0.5, 1.5] * 10, Task.BINARY, "str"),
    "two words": (["no", "yes"] * 10, Task.BINARY, "str"),
    "true and false": ([True, False] * 10, Task.BINARY, "bool"),
    "three words": (["a", "b", "c"] * 10, Task.MULTICLASS, "str"),
    "few whole numbers": ([1, 2, 3] * 20, Task.MULTICLASS, "int64"),
    "whole numbers written with a point": ([1.0, 2.0, 3.0] * 20, Task.MULTICLASS, "int64"),
    "whole numbers of which one is rare": ([1, 2, 3] * 20 + [4], Task.REGRESSION, "float64"),
    "many whole numbers": (list(range(40)), Task.REGRESSION, "float64"),
    "fractions": ([0.5, 1.25, 2.75] * 20, Task.REGRESSION, "float64"),
}
POSITIVES = {
    "1": ([0, 1] * 10, 1),
    "the larger number": ([1, 2] * 10, 2),
    "True": ([False, True] * 10, True),
    "a word that says so": (["yes"] * 15 + ["no"] * 5, "yes"),
    "the rarer word": (["cat"] * 15 + ["dog"] * 5, "dog"),
}
REFUSED = {
    "3 rows": ([0, 1, 1], None, "3 rows have a label in 'x', and at least 20"),
    "one class": ([1] * 30, None, "is always '1': there is nothing to learn"),
    "200 classes of words": ([f"c{number}" for number in range(200)] * 5, None, "has 200 classes; at most 100"),
    "200 classes of numbers": (list(range(200)) * 5, Task.MULTICLASS, "is it a number"),
    "a class of one row": (["a", "b"] * 15 + ["c"], None, "is 'c' in 1 rows, and a class needs 4"),
    "words for a regression": (["a", "b"] * 15, Task.REGRESSION, "a regression predicts numbers"),
    "three classes for a binary task": (["a", "b", "c"] * 15, Task.BINARY, "has 3 classes, and two"),
    "two classes for a multiclass task": (["a", "b"] * 15, Task.MULTICLASS, "has 2 classes, and more than two"),
    "dates": ([f"2024-01-{day:02}" for day in range(1, 29)], None, "is a date"),
}


@pytest.mark.parametrize(("values", "task", "dtype"), TASKS.values(), ids=TASKS.keys())
def test_the_task_is_what_the_values_suggest(values: list[object], task: Task, dtype: str) -> None:
    target = read_target(column_of(*values), None)
    assert (target.task, target.dtype) == (task, dtype)


@pytest.mark.parametrize(("values", "positive"), POSITIVES.values(), ids=POSITIVES.keys())
def test_the_positive_class_is_chosen(values: list[object], positive: object) -> None:
    assert read_target(column_of(*values), None).positive == positive


@pytest.mark.parametrize(("values", "asked", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_a_label_that_nothing_can_be_learned_of_is_refused(values: list[object], asked: Task | None, told: str) -> None:
    with pytest.raises(UnsuitableData) as caught:
        read_target(column_of(*values), asked)
    assert told in str(caught.value)


def test_what_is_asked_wins_over_what_the_values_suggest() -> None:
    column = column_of(*[1, 2, 3] * 20)
    assert (infer_task(column), read_target(column, Task.REGRESSION).task) == (Task.MULTICLASS, Task.REGRESSION)


def test_a_label_that_is_not_there_is_told_with_the_nearest_name() -> None:
    with pytest.raises(ConfigurationError, match=r"no column 'targt'\. Did you mean 'target'"):
        find_target([column_of(1, 2, name="target")], "targt")
