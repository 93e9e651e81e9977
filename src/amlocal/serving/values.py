"""What a JSON value must be to stand in a column of the model's signature.

JSON is looser than a signature: each rule takes what means the same in both (21 and 21.0, in a column of doubles or of
longs) and refuses the rest. Nothing is cut off, rounded to another type or read from a text, as a prediction for what
nobody asked would be worse than none.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from amlocal.serving.refusal import Refusal

_SHOWN = 60  # characters of a value in a message
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?", re.ASCII)
_LARGEST_FLOAT = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Column:
    """A named input of the model; `kind` is MLflow's name of its type."""

    name: str
    kind: str
    required: bool = True


def _all_of(values: Sequence[Any], *kinds: type) -> None:
    # By exact type: to Python, True is an int.
    if not set(map(type, values)) <= set(kinds):
        raise ValueError


def _doubles(values: Sequence[Any]) -> np.ndarray:
    _all_of(values, int, float)
    found = np.array([float(value) for value in values], dtype=np.float64)
    if not np.isfinite(found).all():
        raise ValueError
    return found


def _floats(values: Sequence[Any]) -> np.ndarray:
    found = _doubles(values)
    if (np.abs(found) > _LARGEST_FLOAT).any():
        raise ValueError
    return found.astype(np.float32)


def _whole(kind: type[np.signedinteger[Any]]) -> Callable[[Sequence[Any]], np.ndarray]:
    def read(values: Sequence[Any]) -> np.ndarray:
        _all_of(values, int, float)
        if not all(type(value) is int or value.is_integer() for value in values):
            raise ValueError
        return np.array([int(value) for value in values], dtype=kind)  # OverflowError beyond its range

    return read


def _booleans(values: Sequence[Any]) -> np.ndarray:
    _all_of(values, bool)
    return np.array(values, dtype=bool)


def _objects(values: Sequence[Any]) -> np.ndarray:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _strings(values: Sequence[Any]) -> np.ndarray:
    _all_of(values, str)
    return _objects(values)


def _binaries(values: Sequence[Any]) -> np.ndarray:
    _all_of(values, str)
    return _objects([base64.b64decode(value, validate=True) for value in values])


def _datetimes(values: Sequence[Any]) -> np.ndarray:
    _all_of(values, str)
    if not all(map(_MOMENT.fullmatch, values)):  # pandas reads much more: "now", "5", other orders of day and month
        raise ValueError
    # `as_unit` raises beyond the years that 64 bits of nanoseconds hold, where NumPy would wrap around.
    return np.array([pd.Timestamp(value).as_unit("ns").asm8 for value in values], dtype="datetime64[ns]")


@dataclass(frozen=True)
class _Rule:
    """`read` turns values into an array, raising on one that is not `expected`; `null` is an absent one's place."""

    read: Callable[[Sequence[Any]], np.ndarray]
    expected: str
    null: Any = ...  # ... where the type has no place for an absent value


RULES = {
    "double": _Rule(_doubles, "a finite number", math.nan),
    "float": _Rule(_floats, "a finite number of 32 bits", math.nan),
    "long": _Rule(_whole(np.int64), "a whole number of 64 bits"),
    "integer": _Rule(_whole(np.int32), "a whole number of 32 bits"),
    "boolean": _Rule(_booleans, "true or false"),
    "string": _Rule(_strings, "a text", None),
    "binary": _Rule(_binaries, "a text in base64", None),
    "datetime": _Rule(_datetimes, "a date such as 2026-01-31T12:00:00 without time zone", np.datetime64("NaT")),
}
"""By MLflow's name of the type."""


def read_columns(columns: Sequence[Column], values: Mapping[str, Sequence[Any]]) -> dict[str, np.ndarray]:
    """Return the values of each column as an array of its type. Raises `Refusal` naming the column and the row."""
    of_kind: dict[str, list[Column]] = {}
    for column in columns:
        of_kind.setdefault(column.kind, []).append(column)
    found: dict[str, np.ndarray] = {}
    for kind, alike in of_kind.items():
        found.update(_read_alike(RULES[kind], alike, values))
    return {column.name: found[column.name] for column in columns}


def _read_alike(rule: _Rule, columns: Sequence[Column], values: Mapping[str, Sequence[Any]]) -> dict[str, np.ndarray]:
    # All in one go: a request has many columns and few rows, and arrays cost by the number of them.
    flat = [value for column in columns for value in values[column.name]]
    try:
        table = rule.read(flat).reshape(len(columns), -1)
    except (ValueError, OverflowError, binascii.Error):  # one by one, for what is absent, or to name what is wrong
        return {column.name: read_column(column, values[column.name]) for column in columns}
    return {column.name: row for column, row in zip(columns, table)}  # noqa: B905 - strict is of Python 3.10


def read_column(column: Column, values: Sequence[Any]) -> np.ndarray:
    """Return the values of a column as an array of its type. Raises `Refusal` naming the column and the row."""
    rule = RULES[column.kind]
    try:
        if None not in values:
            return rule.read(values)
        return _with_nulls(column, rule, values)
    except (ValueError, OverflowError, binascii.Error) as error:
        raise _refusal(column, rule, values) from error


def _with_nulls(column: Column, rule: _Rule, values: Sequence[Any]) -> np.ndarray:
    if column.required or rule.null is ...:
        raise ValueError
    present = [value is not None for value in values]
    read = rule.read([value for value in values if value is not None])
    found = np.full(len(values), rule.null, dtype=read.dtype)
    found[present] = read
    return found


def _refusal(column: Column, rule: _Rule, values: Sequence[Any]) -> Refusal:
    for row, value in enumerate(values):
        try:
            _ = rule.read([value]) if value is not None else _with_nulls(column, rule, [value])
        except (ValueError, OverflowError, binascii.Error):
            return Refusal(f"Column '{column.name}', row {row}: {shown(value)} is not {rule.expected} ({column.kind}).")
    return Refusal(f"Column '{column.name}' does not hold {rule.expected} ({column.kind}) in each row.")


def shown(value: Any) -> str:
    """Return a value of a request for a message, cut short."""
    text = "null" if value is None else f"{value:.6g}" if isinstance(value, float) else f"{value!r:.{_SHOWN}}"
    return text if len(text) < _SHOWN else f"{text}…"
