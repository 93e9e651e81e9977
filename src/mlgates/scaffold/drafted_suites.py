"""The expectation suites that are drafted from a table: types, ranges with room, gaps, categories, uniqueness."""

import json
import math
from collections.abc import Iterator
from typing import Any

from mlgates.scaffold.choices import Task
from mlgates.scaffold.columns import Column, Kind
from mlgates.scaffold.target import Target

CATEGORIES = 30
"""A column of at most so many words has a set of them."""
_ROOM = 0.5
"""How far beyond the smallest and largest value a range goes, as a share of their distance."""
Expectation = dict[str, Any]


def draft_training_suite(columns: list[Column], target: Target, rows: int) -> str:
    """Return the suite of the training set as Great Expectations stores it."""
    fewer = f"The first version had {rows} rows, and new data adds to it. Fewer: was the file cut short?"
    expectations = [_columns(columns), _expect("table_row_count_to_be_between", fewer, min_value=max(1, rows // 2))]
    for column in columns:
        expectations += _about_training(column, target)
    return _suite("training-set", expectations, "What the training set must hold before a model is trained on it.")


def draft_sample_suite(features: list[Column]) -> str:
    """Return the suite of the samples that are sent to the endpoints."""
    expectations = [_columns(features)]
    for column in features:
        expectations += _gaps(column, share=0.0)
        if column.kind is Kind.NUMBER:
            expectations += [_number_type(column), _range(column)]
    return _suite("sample", expectations, "What the samples must hold, so that both endpoints take them.")


def _about_training(column: Column, target: Target) -> Iterator[Expectation]:
    yield from _gaps(column, share=column.missing)
    if column.name == target.column.name:
        yield from _about_label(target)
        return
    match column.kind:
        case Kind.NUMBER:
            yield _number_type(column)
            yield _range(column)
            yield from _mean(column)
        case Kind.BOOLEAN:
            yield _expect("column_values_to_be_of_type", "True or False.", column=column.name, type_="bool")
        case Kind.CATEGORY if len(column.words) <= CATEGORIES and _read_as_words(column):
            why = "A word that was not there at first: was it mistyped, or is it new? Then add it, and train anew."
            yield _expect(
                "column_values_to_be_in_set", why, column=column.name, value_set=sorted(column.words), mostly=0.95
            )
        case Kind.DATE:
            yield _expect(
                "column_values_to_match_regex", "Dates as 2026-01-31.", column=column.name, regex=r"^\d{4}-\d{2}-\d{2}"
            )
        case Kind.IDENTIFIER if column.texts.dropna().is_unique:
            why = "It names the row: the same one twice means that rows were appended twice."
            yield _expect("column_values_to_be_unique", why, column=column.name)


def _read_as_words(column: Column) -> bool:
    """Return whether who does not know the schema reads words: codes are numbers to them, True and a gap a boolean."""
    return all(isinstance(value, str) for value in column.typed.dropna().unique())


def _about_label(target: Target) -> Iterator[Expectation]:
    name = target.column.name
    if target.task is Task.REGRESSION:
        yield _range(target.column)
        yield from _mean(target.column)
        return
    why = "The classes that the model knows. Another one: was it mistyped, or must the model be trained on it?"
    yield _expect("column_values_to_be_in_set", why, column=name, value_set=list(target.classes))


def _columns(columns: list[Column]) -> Expectation:
    why = "The columns and their order are fixed. Rename, restore or remove the column that differs."
    return _expect("table_columns_to_match_ordered_list", why, column_list=[column.name for column in columns])


def _gaps(column: Column, *, share: float) -> Iterator[Expectation]:
    if column.kind is Kind.CONSTANT:
        return
    if share == 0:
        yield _expect("column_values_to_not_be_null", "There were no gaps. Complete the rows.", column=column.name)
        return
    mostly = math.floor(max(0.0, 1 - share * 1.5 - 0.05) * 100) / 100
    why = f"{share:.1%} of the values were missing at first. Many more: was a source lost?"
    if mostly > 0:
        yield _expect("column_values_to_not_be_null", why, column=column.name, mostly=mostly)


def _number_type(column: Column) -> Expectation:
    types = ["int64", "float64"]
    return _expect(
        "column_values_to_be_in_type_list", "Numbers, with a point and no unit.", column=column.name, type_list=types
    )


def _range(column: Column) -> Expectation:
    low, high = float(column.numbers.min()), float(column.numbers.max())
    room = (high - low) * _ROOM
    floor = 0.0 if low >= 0 else low - room
    why = (
        f"From {low:g} to {high:g} at first, with room for more. What lies outside was mistyped or is in another unit."
    )
    limits = {"min_value": _rounded(floor, down=True), "max_value": _rounded(high + room)}
    return _expect("column_values_to_be_between", why, column=column.name, **limits)


def _mean(column: Column) -> Iterator[Expectation]:
    mean, spread = float(column.numbers.mean()), float(column.numbers.std())
    if spread > 0:
        why = f"The mean was {mean:.4g}. One that is far off tells of another unit, a swapped column, or other rows."
        low, high = _rounded(mean - spread / 2, down=True), _rounded(mean + spread / 2)
        yield _expect("column_mean_to_be_between", why, column=column.name, min_value=low, max_value=high)


def _rounded(value: float, *, down: bool = False) -> float:
    """Round outwards to three digits."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    return float(f"{(math.floor if down else math.ceil)(value / unit) * unit:.10g}")


def _expect(kind: str, notes: str, **settings: Any) -> Expectation:
    return {"type": f"expect_{kind}", "kwargs": settings, "meta": {}, "notes": notes, "severity": "critical"}


def _suite(name: str, expectations: list[Expectation], notes: str) -> str:
    suite = {"name": name, "expectations": expectations, "meta": {}, "notes": notes}
    return json.dumps(suite, indent=2, ensure_ascii=False) + "\n"
