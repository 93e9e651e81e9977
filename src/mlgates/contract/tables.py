"""Reads `input_data` for a model with columns, in each of its formats."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from mlgates.contract.errors import RequestRefused
from mlgates.contract.scalars import json_type, problem_of
from mlgates.contract.signature import ModelContract, last_required
from mlgates.endpoint_client import Json

Table: TypeAlias = tuple[tuple[str, ...], tuple[tuple[Json, ...], ...]]
"""The names of the columns, in the order of the signature, and rows with a value for each."""

_PARTS = ("columns", "index", "data")


def read_table(contract: ModelContract, stated: object) -> Table:
    """Return columns and rows. Raises `RequestRefused` that names the row and the column."""
    if isinstance(stated, dict):
        names, rows = _split(contract, stated)
    elif isinstance(stated, list) and any(isinstance(row, dict) for row in stated):
        names, rows = _records(contract, stated)
    elif isinstance(stated, list):
        names = _leading(contract, stated)
        rows = _lists(names, stated)
    else:
        raise RequestRefused(f"'input_data' is {json_type(stated)}, and a table is required: lists, records or split")
    return _checked(contract, names, rows)


def _split(contract: ModelContract, stated: dict[str, Any]) -> tuple[Sequence[str], list[list[Any]]]:
    for part in stated:
        if part not in _PARTS:
            raise RequestRefused(f"'input_data' has the unknown part '{part}'; its parts are columns, index and data")
    for part in ("columns", "data"):
        if not isinstance(stated.get(part), list):
            raise RequestRefused(f"'input_data' needs a list '{part}': columns and data, with or without index")
    names = stated["columns"]
    if wrong := next((name for name in names if not isinstance(name, str)), None):
        raise RequestRefused(f"'columns' holds {json_type(wrong)}, and names are required")
    if not contract.named:
        raise RequestRefused("'columns' are given, and the model's inputs have no names: send lists of values")
    index = stated.get("index")
    if index is not None and (not isinstance(index, list) or len(index) != len(stated["data"])):
        raise RequestRefused(f"'index' must be a list as long as 'data', which has {len(stated['data'])} rows")
    return names, _lists(names, stated["data"])


def _leading(contract: ModelContract, rows: list[Any]) -> tuple[str, ...]:
    """Return the columns that lists of values are for: all but optional ones at the end that the first row lacks."""
    given = len(rows[0]) if rows and isinstance(rows[0], list) else len(contract.columns)
    return contract.names[: max(given, last_required(contract))]


def _lists(names: Sequence[str], rows: list[Any]) -> list[list[Any]]:
    for number, row in enumerate(rows):
        if not isinstance(row, list):
            raise RequestRefused(f"'input_data', row {number} is {json_type(row)}, and a list is required")
        if len(row) != len(names):
            first = names[len(row)] if len(row) < len(names) else "none"
            raise RequestRefused(
                f"'input_data', row {number} has {len(row)} values for {len(names)} columns; without one: {first}"
            )
    return rows


def _records(contract: ModelContract, rows: list[Any]) -> tuple[Sequence[str], list[list[Any]]]:
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise RequestRefused(f"'input_data', row {number} is {json_type(row)} among objects")
    names = list(dict.fromkeys(name for row in rows for name in row))
    may_lack = {column.name for column in contract.columns if column.nullable}
    for number, row in enumerate(rows):
        if lacking := next((name for name in names if name not in row and name not in may_lack), None):
            raise RequestRefused(f"'input_data', row {number} has no '{lacking}', which other rows have")
    return names, [[row.get(name) for name in names] for row in rows]


def _checked(contract: ModelContract, names: Sequence[str], rows: list[list[Any]]) -> Table:
    _check_names(contract, names, any_rows=bool(rows))
    chosen = [(column, list(names).index(column.name)) for column in contract.columns if column.name in names]
    for number, row in enumerate(rows):
        for column, place in chosen:
            if row[place] is None and column.nullable:
                continue
            if problem := problem_of(row[place], column.kind):
                raise RequestRefused(f"'input_data', row {number}, column '{column.name}' {problem}")
    ordered = tuple(column.name for column, _ in chosen)
    return ordered, tuple(tuple(row[place] for _, place in chosen) for row in rows)


def _check_names(contract: ModelContract, names: Sequence[str], *, any_rows: bool) -> None:
    for name in names:
        if name not in contract.names:
            raise RequestRefused(f"unknown column '{name}'; the model has {', '.join(contract.names)}")
        if list(names).count(name) > 1:
            raise RequestRefused(f"column '{name}' is given twice")
    for column in contract.columns:
        if any_rows and column.required and column.name not in names:  # without any row, that is what is told
            raise RequestRefused(f"column '{column.name}' is missing")
