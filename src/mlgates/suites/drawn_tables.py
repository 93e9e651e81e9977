"""Tables as a project's training set could be, drawn from its expectation suite, with a label that can be learned.

hypothesis draws the seed and the shape of a table, and NumPy fills it: a table is so drawn in a millisecond.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlgates.core.errors import AssetMissing, ConfigurationError
from mlgates.evaluation.target import EvaluationConfig, LabelValue, Task

Values = npt.NDArray[Any]
CATEGORIES = 6
"""As many words as a column of categories has in a table at most."""
_WORDS = ("alpha", "bravo", "delta", "echo", "golf", "hotel", "kilo", "lima", "oscar", "papa", "romeo", "tango")
_NOISE = 0.15


class Content(StrEnum):
    """What a column holds."""

    NUMBER = "number"
    WHOLE = "whole"
    BOOLEAN = "boolean"
    CATEGORY = "category"
    TEXT = "text"
    DATE = "date"
    IDENTIFIER = "identifier"


@dataclass(frozen=True, slots=True)
class DrawnColumn:
    """A column, and what the suite lets it hold."""

    name: str
    content: Content = Content.TEXT
    low: float | None = None
    high: float | None = None
    values: tuple[Any, ...] = ()
    gaps: float = 0.0
    """The share of rows that may have no value."""
    unique: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class TableSchema:
    """The columns of a table, the label among them."""

    columns: tuple[DrawnColumn, ...]
    evaluation: EvaluationConfig
    apart: frozenset[str] = field(default_factory=frozenset)
    """Columns that say nothing about the label: identifiers, groups, times, forbidden ones."""

    def __repr__(self) -> str:
        return f"{len(self.columns)} columns"

    @property
    def label(self) -> DrawnColumn:
        """The column that is predicted."""
        return next(each for each in self.columns if each.name == self.evaluation.label)

    @property
    def features(self) -> tuple[DrawnColumn, ...]:
        """The columns that the label may follow from."""
        left_out = {self.evaluation.label, self.evaluation.weights, *self.apart}
        return tuple(
            each for each in self.columns if each.name not in left_out and each.content is not Content.IDENTIFIER
        )

    @property
    def classes(self) -> tuple[LabelValue, ...]:
        """The classes of the label; none of a regression."""
        if self.evaluation.task is Task.REGRESSION:
            return ()
        if declared := self.evaluation.classes or list(self.label.values):
            return tuple(declared)
        if self.label.content is Content.BOOLEAN:
            return (False, True)
        return (0, 1) if self.evaluation.task is Task.BINARY else ()


def read_schema(suite: Path, evaluation: EvaluationConfig, apart: Sequence[str] = ()) -> TableSchema:
    """Return what an expectation suite says of a table. Raises `MlgatesError` for a file that says too little."""
    stored = _expectations(suite)
    names = _names(stored)
    columns = {name: DrawnColumn(name) for name in names}
    typed: dict[str, set[str]] = {name: set() for name in names}
    for kind, given in stored:
        name = given.get("column")
        if name in columns:
            columns[name] = _told(columns[name], kind, given)
            typed[name] |= {str(given.get("type_", "")), *map(str, given.get("type_list", ()))} - {""}
    if evaluation.label not in columns:
        raise ConfigurationError(f"{suite}: it has no column {evaluation.label}, which gates.yml says is predicted")
    found = tuple(_of_type(each, typed[name], name == evaluation.label) for name, each in columns.items())
    return TableSchema(found, evaluation, frozenset(apart))


def expected_columns(suite: Path) -> list[str]:
    """Return the columns that a suite names, in its order. Raises `MlgatesError` for a file that is no suite."""
    return _names(_expectations(suite))


def _expectations(suite: Path) -> list[tuple[str, Mapping[str, Any]]]:
    try:
        stored = json.loads(suite.read_text(encoding="utf-8"))
        return [(str(each["type"]).removeprefix("expect_"), each["kwargs"]) for each in stored["expectations"]]
    except FileNotFoundError as error:
        raise AssetMissing(f"{suite}: no such suite, and tables are drawn from it") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{suite}: no expectation suite ({error})") from error


def _names(stored: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    for kind, given in stored:
        if kind == "table_columns_to_match_ordered_list":
            return [str(each) for each in given["column_list"]]
        if kind == "table_columns_to_match_set":
            return [str(each) for each in given["column_set"]]
    return list(dict.fromkeys(str(given["column"]) for _, given in stored if "column" in given))


def _told(column: DrawnColumn, kind: str, given: Mapping[str, Any]) -> DrawnColumn:
    """Return a column with what one expectation adds."""
    told: dict[str, Any] = {}
    match kind:
        case "column_values_to_be_between":
            told = {"low": given.get("min_value", column.low), "high": given.get("max_value", column.high)}
        case "column_values_to_be_in_set":
            told = {"values": tuple(given["value_set"])}
        case "column_values_to_not_be_null":
            told = {"gaps": 1.0 - float(given.get("mostly") or 1.0)}
        case "column_values_to_be_unique":
            told = {"unique": True}
        case "column_proportion_of_unique_values_to_be_between":
            told = {"unique": float(given.get("min_value") or 0) > 0.9}
        case "column_values_to_match_regex" if r"\d{4}-" in str(given.get("regex")):
            told = {"content": Content.DATE}
        case "column_values_to_match_strftime_format" | "column_values_to_be_dateutil_parseable":
            told = {"content": Content.DATE}
    return replace(column, **told)


def _of_type(column: DrawnColumn, types: set[str], label: bool) -> DrawnColumn:
    """Return a column with its content, from the types and values that the suite allows."""
    content = _content(column, {each.lower() for each in types}, label)
    unique = column.unique and not label and content in {Content.NUMBER, Content.WHOLE, Content.TEXT}
    return replace(column, content=Content.IDENTIFIER if unique else content)


def _content(column: DrawnColumn, types: set[str], label: bool) -> Content:
    if column.content is Content.DATE or any(each.startswith("datetime") for each in types):
        return Content.DATE
    truths = bool(column.values) and all(isinstance(each, bool) for each in column.values)
    if truths or any(each.startswith("bool") for each in types):
        return Content.BOOLEAN
    if column.values:
        return Content.CATEGORY
    numeric = any(each.startswith(("int", "float", "uint")) for each in types)
    if numeric or column.low is not None or column.high is not None or (label and not types):
        whole = bool(types) and all(each.startswith(("int", "uint")) for each in types)
        return Content.WHOLE if whole else Content.NUMBER
    return Content.TEXT


def draw_table(schema: TableSchema, seed: int, rows: int, *, gaps: bool = True) -> pd.DataFrame:
    """Return a table of so many rows in which the label follows from the features, but for some noise.

    Values are missing here and there where the suite lets them, unless without `gaps`.
    """
    chance = np.random.default_rng(seed)
    signal, columns = np.zeros(rows), {}
    weights = [1.0, -0.8, 0.6, -0.5, 0.4]
    for place, column in enumerate(schema.columns):
        if column.name == schema.evaluation.label:
            continue
        values, effect = _values(column, rows, chance)
        columns[column.name] = values
        if column in schema.features:
            signal += weights[place % len(weights)] * effect
    spread = float(signal.std()) or 1.0
    signal = (signal - signal.mean()) / spread + chance.normal(0, _NOISE, rows)
    columns[schema.evaluation.label] = _label(schema, signal)
    table = pd.DataFrame({each.name: columns[each.name] for each in schema.columns})
    return _with_gaps(table, schema, chance) if gaps else table


def _values(column: DrawnColumn, rows: int, chance: np.random.Generator) -> tuple[Values, Values]:
    """Return values, and how each moves the label, from -1 to 1."""
    match column.content:
        case Content.NUMBER | Content.WHOLE:
            low, high = bounds(column)
            share = chance.uniform(0, 1, rows)
            values = low + share * (high - low)
            return (np.round(values).astype(np.int64) if column.content is Content.WHOLE else values), share * 2 - 1
        case Content.BOOLEAN:
            drawn = chance.integers(0, 2, rows)
            return drawn.astype(bool), drawn * 2.0 - 1
        case Content.CATEGORY:
            known = column.values[:CATEGORIES]
            drawn = chance.integers(0, len(known), rows)
            return _objects([known[each] for each in drawn]), drawn / max(1, len(known) - 1) * 2 - 1
        case Content.DATE:
            days = chance.integers(0, 3650, rows)
            return _objects([str(np.datetime64("2015-01-01") + int(each)) for each in days]), days / 1825 - 1.0
        case Content.IDENTIFIER:
            low = int(column.low or 1)
            return low + chance.permutation(rows * 3)[:rows], np.zeros(rows)
    drawn = chance.integers(0, len(_WORDS), (rows, 3))
    sentences = _objects([" ".join(_WORDS[each] for each in line) for line in drawn])
    return sentences, (drawn == 0).any(axis=1) * 2.0 - 1


def bounds(column: DrawnColumn) -> tuple[float, float]:
    """Return the range of a column of numbers; where the suite leaves an end open, a hundred from the other."""
    if column.low is None and column.high is None:
        return 0.0, 100.0
    low = column.low if column.low is not None else float(column.high or 0) - 100
    high = column.high if column.high is not None else float(low) + 100
    return float(low), float(high)


def _objects(values: Sequence[Any]) -> Values:
    """Return values as an array of their own type when they are numbers, else of objects."""
    if values and all(isinstance(each, int | float) for each in values):
        return np.array(values)
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _label(schema: TableSchema, signal: Values) -> Values:
    if classes := schema.classes:
        ranks = signal.argsort().argsort() / max(1, len(signal))
        return _objects([classes[min(int(each * len(classes)), len(classes) - 1)] for each in ranks])
    low, high = bounds(schema.label)
    share = 1 / (1 + np.exp(-signal))
    values = low + share * (high - low)
    return np.round(values).astype(np.int64) if schema.label.content is Content.WHOLE else values


def _with_gaps(table: pd.DataFrame, schema: TableSchema, chance: np.random.Generator) -> pd.DataFrame:
    for column in schema.features:
        if column.gaps and column.content is not Content.BOOLEAN:
            missing = chance.uniform(0, 1, len(table)) < min(column.gaps, 0.3) / 2
            table[column.name] = table[column.name].mask(missing)
    return table
