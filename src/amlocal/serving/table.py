"""The three ways of writing a table in `input_data`, read as the columns of the signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from amlocal.serving.refusal import Refusal
from amlocal.serving.values import Column, read_columns

_SPLIT = {"columns", "data"}
_ROWS = "rows of values, rows of names and values, or 'columns' and 'data'"


def read_table(data: Any, signature: Sequence[Column]) -> dict[str, np.ndarray]:
    """Return the columns that were sent, by name and in the signature's order, all of one length of at least 1.

    Rows of values are in the signature's order, and may lack optional columns at its end; rows of names, and `columns`,
    may be in any. Raises `Refusal`.
    """
    values = _values(data, signature)
    known = {column.name for column in signature}
    unknown = next((name for name in values if name not in known), None)
    if unknown is not None:
        raise Refusal(f"Column '{unknown}' is not one of the model's: {_names(signature)}.")
    missing = [column.name for column in signature if column.required and column.name not in values]
    if missing:
        raise Refusal(f"Column '{missing[0]}' is missing; the model needs it.")
    return read_columns([column for column in signature if column.name in values], values)


def _values(data: Any, signature: Sequence[Column]) -> Mapping[str, Sequence[Any]]:
    if isinstance(data, dict):
        return _from_split(data)
    if not isinstance(data, list):
        raise Refusal(f"'input_data' must hold {_ROWS}.")
    if not data:
        raise Refusal("'input_data' holds no row.")
    if all(isinstance(row, dict) for row in data):
        return _from_records(data)
    return _from_rows(data, _leading(data, signature), "'input_data'")


def _leading(rows: Sequence[Any], signature: Sequence[Column]) -> Sequence[str]:
    """Return the columns that lists of values are for: all but optional ones at the end that the first row lacks."""
    given = len(rows[0]) if isinstance(rows[0], list) else 0
    needed = max((place for place, column in enumerate(signature, 1) if column.required), default=0)
    return [column.name for column in signature[: max(given, needed)]]


def _from_split(data: Mapping[str, Any]) -> Mapping[str, Sequence[Any]]:
    if not set(data) >= _SPLIT or not set(data) <= _SPLIT | {"index"}:
        raise Refusal(f"'input_data' must hold {_ROWS} (and may hold 'index'); it holds {', '.join(map(repr, data))}.")
    names, rows, index = data["columns"], data["data"], data.get("index")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Refusal("'columns' must be a list of names.")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Refusal(f"Column '{twice}' is there twice.")
    if not isinstance(rows, list) or not rows:
        raise Refusal("'data' of 'input_data' holds no row.")
    if index is not None and (not isinstance(index, list) or len(index) != len(rows)):
        raise Refusal("'index' must be a list with one entry for each row of 'data'.")
    return _from_rows(rows, names, "'data'")


def _from_rows(rows: Sequence[Any], names: Sequence[str], where: str) -> Mapping[str, Sequence[Any]]:
    for number, row in enumerate(rows):
        if not isinstance(row, list):
            raise Refusal(f"{where}, row {number}: each row must be a list of values, one for each column.")
        if len(row) < len(names):
            raise Refusal(f"{where}, row {number}: {len(row)} values; column '{names[len(row)]}' is missing.")
        if len(row) > len(names):
            raise Refusal(f"{where}, row {number}: {len(row)} values for {len(names)} columns ({', '.join(names)}).")
    return dict(zip(names, zip(*rows)))  # noqa: B905 - strict is of Python 3.10


def _from_records(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Sequence[Any]]:
    names = rows[0].keys()
    if all(row.keys() == names for row in rows):
        return {name: [row[name] for row in rows] for name in names}
    # What a row leaves out counts as null, which the column's own rule takes or refuses.
    union = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in union}


def _names(signature: Sequence[Column]) -> str:
    return ", ".join(column.name for column in signature)
