"""What each column of a table is, as far as its values tell; a person may correct it in the made project's schema."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from mlgates.scaffold.errors import UnsuitableData

MOST = 1000
"""Columns that a project is drafted from at most: a suite and a schema of more are nothing to read."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?")
_LEADING_ZERO = re.compile(r"0\d+")
_IDENTIFIER = re.compile(r"(?i:(^|[_\W])(id|uuid|guid|index|key|rownames?|no|nr)$|^unnamed: \d+$)|[a-z](ID|Id)$")
_WORDS_OF_A_TEXT = 3.0
_UNIQUE = 0.9
"""A column of words of which so many are unique names the row, and tells nothing of others."""


class Kind(StrEnum):
    """What a column is."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    CATEGORY = "category"
    TEXT = "text"
    DATE = "date"
    IDENTIFIER = "identifier"
    CONSTANT = "constant"
    """Always the same, or nothing at all."""

    @property
    def feature(self) -> bool:
        """Whether a model may learn from it."""
        return self not in {Kind.IDENTIFIER, Kind.CONSTANT}


@dataclass(frozen=True, slots=True)
class Column:
    """A column with its values: as pandas types them (`typed`), and as they are written (`texts`)."""

    name: str
    kind: Kind
    typed: "pd.Series[Any]"
    texts: "pd.Series[str]"

    @property
    def missing(self) -> float:
        """The share of rows without a value, 0 to 1."""
        return float(self.texts.isna().mean())

    @property
    def words(self) -> list[str]:
        """The distinct values as they are written, the most frequent first."""
        return [str(each) for each in self.texts.dropna().value_counts().index]

    @property
    def numbers(self) -> "pd.Series[float]":
        """The values of a number, without gaps."""
        return self.typed.dropna().astype("float64")

    @property
    def whole(self) -> bool:
        """Whether every number is whole."""
        return bool((self.numbers % 1 == 0).all())


def read_columns(typed: pd.DataFrame, texts: pd.DataFrame) -> list[Column]:
    """Return every column with its kind. Raises `UnsuitableData` for too many, or for infinite numbers."""
    if len(typed.columns) > MOST:
        raise UnsuitableData(
            f"the table has {len(typed.columns)} columns, and a project is drafted from {MOST} at most: "
            "keep those that may matter, or join measurements of one kind"
        )
    return list(_columns(typed, texts))


def _columns(typed: pd.DataFrame, texts: pd.DataFrame) -> Iterator[Column]:
    for name in typed.columns:
        values, written = typed[name], texts[name]
        kind = kind_of(str(name), values, written)
        if kind is Kind.NUMBER and np.isinf(values.astype("float64")).any():
            raise UnsuitableData(
                f"column '{name}' holds infinite numbers: no model learns from these, leave them empty"
            )
        yield Column(str(name), kind, values, written)


def kind_of(name: str, values: "pd.Series[Any]", written: "pd.Series[str]") -> Kind:
    """Return what a column is."""
    present = written.dropna()
    if present.nunique() <= 1:
        return Kind.CONSTANT
    if pd.api.types.is_bool_dtype(values):
        return Kind.BOOLEAN
    if pd.api.types.is_numeric_dtype(values):
        return _kind_of_numbers(name, values, present)
    return _kind_of_words(name, present)


def _kind_of_numbers(name: str, values: "pd.Series[Any]", present: "pd.Series[str]") -> Kind:
    unique = present.nunique() == len(values)
    if present.str.strip().str.fullmatch(_LEADING_ZERO).any():  # a zip code: its zeros are lost in a number
        return Kind.IDENTIFIER if unique else Kind.CATEGORY
    whole = bool((values.dropna().astype("float64") % 1 == 0).all())
    return Kind.IDENTIFIER if unique and whole and _IDENTIFIER.search(name) else Kind.NUMBER


def _kind_of_words(name: str, present: "pd.Series[str]") -> Kind:
    if _IDENTIFIER.search(name) and present.is_unique:
        return Kind.IDENTIFIER
    if present.str.fullmatch(_DAY).all() and _parses(present):
        return Kind.DATE
    distinct = present.nunique()
    if distinct > 10 and present.str.split().str.len().mean() >= _WORDS_OF_A_TEXT:
        return Kind.TEXT
    return Kind.IDENTIFIER if distinct > 10 and distinct / len(present) > _UNIQUE else Kind.CATEGORY


def _parses(present: "pd.Series[str]") -> bool:
    try:
        pd.to_datetime(present, format="ISO8601").astype("datetime64[ns]")
    except (ValueError, OverflowError):
        return False
    return True
