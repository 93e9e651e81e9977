"""What is predicted: the column, the task that it makes, and whether the table has enough of it."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from mlgates.core.errors import ConfigurationError
from mlgates.core.nearest import did_you_mean
from mlgates.scaffold.choices import Task
from mlgates.scaffold.columns import Column, Kind
from mlgates.scaffold.errors import UnsuitableData

ROWS = 20
"""At least: with fewer, neither part of a split says anything."""
CLASSES = 100
"""At most."""
ROWS_OF_A_CLASS = 4
"""At least, so that both parts of a split have one."""
_FEW = 20
"""Whole numbers of so few values are classes, when each has some rows."""
_POSITIVE = frozenset({"1", "true", "yes", "y", "positive", "pos", "t", "bad", "malignant", "spam", "died", "default"})


@dataclass(frozen=True, slots=True)
class Target:
    """The column that is predicted."""

    column: Column
    task: Task
    dtype: str
    """What the training code reads it as: int64, bool, float64 or str."""
    classes: tuple[object, ...] = ()
    """Of a classification, sorted."""
    positive: object = None
    """Of a binary one: what precision and recall are about."""


def find_target(columns: list[Column], name: str, *, option: str = "--target") -> Column:
    """Return the column to predict. Raises `ConfigurationError` with the nearest name for one that is not there."""
    for column in columns:
        if column.name == name:
            return column
    raise ConfigurationError(
        f"{option}: the table has no column '{name}'. {did_you_mean(name, [each.name for each in columns])}"
    )


def read_target(column: Column, asked: Task | None) -> Target:
    """Return what a column is to be predicted as. Raises `UnsuitableData` for one that nothing can be learned of."""
    present = column.texts.dropna()
    distinct = present.nunique()
    if len(present) < ROWS:
        raise UnsuitableData(f"{len(present)} rows have a label in '{column.name}', and at least {ROWS} are needed")
    if distinct < 2:
        told = f"is always {present.iloc[0]!r}" if distinct else "is empty"
        raise UnsuitableData(f"the label '{column.name}' {told}: there is nothing to learn")
    if column.kind is Kind.DATE:
        raise UnsuitableData(f"the label '{column.name}' is a date: predict the days to it, or a class")
    task = asked or infer_task(column)
    if task is Task.REGRESSION:
        return _regression(column)
    return _classification(column, task)


def infer_task(column: Column) -> Task:
    """Return the task that the values suggest: two values are classes, words are, and numbers when few."""
    counts = column.texts.dropna().value_counts()
    if len(counts) == 2:
        return Task.BINARY
    if not pd.api.types.is_numeric_dtype(column.typed):
        return Task.MULTICLASS
    few = len(counts) <= min(_FEW, len(column.texts) / 10) and counts.min() >= ROWS_OF_A_CLASS
    return Task.MULTICLASS if column.whole and few else Task.REGRESSION


def _regression(column: Column) -> Target:
    if not pd.api.types.is_numeric_dtype(column.typed) or pd.api.types.is_bool_dtype(column.typed):
        example = column.words[0]
        raise UnsuitableData(f"the label '{column.name}' holds {example!r}, and a regression predicts numbers")
    return Target(column, Task.REGRESSION, "float64")


def _classification(column: Column, task: Task) -> Target:
    counts = column.texts.dropna().value_counts()
    _check_classes(column, task, counts)
    dtype = _class_type(column)
    values = _as_classes(column, dtype).value_counts()
    classes = tuple(sorted(values.index.tolist()))  # of Python's own types
    positive = _positive(classes, values) if task is Task.BINARY else None
    return Target(column, task, dtype, classes, positive)


def _check_classes(column: Column, task: Task, counts: "pd.Series[int]") -> None:
    if len(counts) > CLASSES:
        number = pd.api.types.is_numeric_dtype(column.typed)
        advice = "is it a number? Say --task regression" if number else f"at most {CLASSES} are taken: join some"
        raise UnsuitableData(f"the label '{column.name}' has {len(counts)} classes; {advice}")
    if (task is Task.BINARY) != (len(counts) == 2):
        wanted = "two classes" if task is Task.BINARY else "more than two"
        raise UnsuitableData(
            f"--task {task}: the label '{column.name}' has {len(counts)} classes, and {wanted} are wanted"
        )
    rare = counts[counts < ROWS_OF_A_CLASS]
    if not rare.empty:
        raise UnsuitableData(
            f"the label '{column.name}' is {rare.index[-1]!r} in {rare.iloc[-1]} rows, and a class needs "
            f"{ROWS_OF_A_CLASS}: join it with another, or leave its rows out"
        )


def _class_type(column: Column) -> str:
    if pd.api.types.is_bool_dtype(column.typed):
        return "bool"
    numeric = pd.api.types.is_numeric_dtype(column.typed) and column.kind is not Kind.CATEGORY
    return "int64" if numeric and column.whole else "str"


def _as_classes(column: Column, dtype: str) -> "pd.Series[Any]":
    if dtype == "str":
        return column.texts.dropna().astype(object)
    return column.typed.dropna().astype("bool" if dtype == "bool" else "int64")


def _positive(classes: tuple[Any, ...], counts: "pd.Series[int]") -> object:
    """Return the larger number, True, or a word that says yes; else the rarer word."""
    if not isinstance(classes[0], str):
        return classes[-1]
    named = [each for each in classes if str(each).strip().lower() in _POSITIVE]
    if len(named) == 1:
        return named[0]
    return min(classes, key=lambda each: (counts[each], str(each)))
