"""Parses the body of a scoring request: its table or tensors, and its parameters."""

from __future__ import annotations

import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from amlocal.online_scoring.link import ScoringRequest
from amlocal.online_scoring.signature import (
    TYPE_RULES,
    Column,
    InvalidRequest,
    Param,
    Signature,
    read_columns,
    read_tensors,
    shown,
)

_JSON = "application/json"
_KEYS = {"input_data", "params"}
_SPLIT_ONLY = (
    "'input_data' must hold 'columns', 'index' and 'data': Azure's scoring script for MLflow models with named columns "
    "takes no other form (amlocal --lenient takes rows of values and rows of names and values too)."
)
_SPLIT_KEYS = {"columns", "data"}
_ROWS = "rows of values, rows of names and values, or 'columns' and 'data'"


@dataclass(frozen=True)
class ParsedRequest:
    """What to predict: `columns` of a table, merged with others of the same `batch_key`, or `data`."""

    data: Any
    params: Mapping[str, Any]
    columns: Mapping[str, np.ndarray] | None = None

    @property
    def rows(self) -> int:
        """The length of the table."""
        return len(next(iter((self.columns or {}).values()), ()))

    @property
    def batch_key(self) -> tuple[str, ...]:
        """What two tables must share to be predicted as one: the columns that were sent and the parameters."""
        return (json.dumps(self.params, sort_keys=True) if self.params else "", *(self.columns or {}))


def parse_request(request: ScoringRequest, signature: Signature) -> ParsedRequest:
    """Return what a request asks. Raises `InvalidRequest` for one that the signature does not allow."""
    content = _read_body(request)
    params = read_params(content.get("params"), signature.params)
    data = content["input_data"]
    if signature.split_only and not (isinstance(data, dict) and {"columns", "data"} & data.keys()):
        raise InvalidRequest(_SPLIT_ONLY)
    if signature.columns:
        return ParsedRequest(None, params, read_table(data, signature.columns))
    if signature.tensors:
        return ParsedRequest(read_tensors(data, signature.tensors), params)
    return ParsedRequest(_unchecked(data), params)


def _read_body(request: ScoringRequest) -> dict[str, Any]:
    _check_content_type(request.content_type)
    try:
        content = json.loads(request.body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"The body is not UTF-8: {error.reason} at byte {error.start}.") from error
    except RecursionError as error:
        raise InvalidRequest("The body is nested too deeply.") from error
    except ValueError as error:
        raise InvalidRequest(f"The body is not JSON: {str(error)[:200]}.") from error
    if not isinstance(content, dict) or "input_data" not in content:
        raise InvalidRequest("The body must be a JSON object with the key 'input_data'.")
    unknown = next((key for key in content if key not in _KEYS), None)
    if unknown is not None:
        raise InvalidRequest(f"The key '{unknown}' is not known; the body holds 'input_data' and may hold 'params'.")
    return content


def _check_content_type(stated: str) -> None:
    # The usual spelling first: this is done for every request.
    if stated == _JSON:
        return
    kind, *details = (part.strip().lower() for part in stated.split(";"))
    charset = next(
        (detail.partition("=")[2].strip('"') for detail in details if detail.startswith("charset=")), "utf-8"
    )
    if kind != _JSON or charset != "utf-8":
        raise InvalidRequest(f"The Content-Type is {stated!r}; send {_JSON}, which is in UTF-8.", status=415)


def _unchecked(data: Any) -> Any:
    """Return the data of a model whose signature, if any, is MLflow's to enforce."""
    try:
        if isinstance(data, dict) and {"columns", "data"} <= set(data):
            return pd.DataFrame(data["data"], columns=data["columns"], index=data.get("index"))
        if isinstance(data, list) and data and isinstance(data[0], dict):
            return pd.DataFrame.from_records(data)
        return np.array(data) if isinstance(data, list) else data
    except (ValueError, TypeError) as error:
        raise InvalidRequest(f"'input_data' is not a table: {str(error)[:200]}.") from error


def read_table(data: Any, signature: Sequence[Column]) -> dict[str, np.ndarray]:
    """Return the columns that were sent, by name and in the signature's order, all of one length of at least 1.

    Rows of values are in the signature's order, and may lack optional columns at its end; rows of names, and `columns`,
    may be in any. Raises `InvalidRequest`.
    """
    values = _table_values(data, signature)
    known = {column.name for column in signature}
    unknown = next((name for name in values if name not in known), None)
    if unknown is not None:
        raise InvalidRequest(f"Column '{unknown}' is not one of the model's: {_column_names(signature)}.")
    missing = [column.name for column in signature if column.required and column.name not in values]
    if missing:
        raise InvalidRequest(f"Column '{missing[0]}' is missing; the model needs it.")
    return read_columns([column for column in signature if column.name in values], values)


def _table_values(data: Any, signature: Sequence[Column]) -> Mapping[str, Sequence[Any]]:
    if isinstance(data, dict):
        return _from_split(data)
    if not isinstance(data, list):
        raise InvalidRequest(f"'input_data' must hold {_ROWS}.")
    if not data:
        raise InvalidRequest("'input_data' holds no row.")
    if all(isinstance(row, dict) for row in data):
        return _from_records(data)
    return _from_rows(data, _leading(data, signature), "'input_data'")


def _leading(rows: Sequence[Any], signature: Sequence[Column]) -> Sequence[str]:
    """Return the columns that lists of values are for: all but optional ones at the end that the first row lacks."""
    given = len(rows[0]) if isinstance(rows[0], list) else 0
    needed = max((place for place, column in enumerate(signature, 1) if column.required), default=0)
    return [column.name for column in signature[: max(given, needed)]]


def _from_split(data: Mapping[str, Any]) -> Mapping[str, Sequence[Any]]:
    if not set(data) >= _SPLIT_KEYS or not set(data) <= _SPLIT_KEYS | {"index"}:
        raise InvalidRequest(
            f"'input_data' must hold {_ROWS} (and may hold 'index'); it holds {', '.join(map(repr, data))}."
        )
    names, rows, index = data["columns"], data["data"], data.get("index")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidRequest("'columns' must be a list of names.")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidRequest(f"Column '{twice}' is there twice.")
    if not isinstance(rows, list) or not rows:
        raise InvalidRequest("'data' of 'input_data' holds no row.")
    if index is not None and (not isinstance(index, list) or len(index) != len(rows)):
        raise InvalidRequest("'index' must be a list with one entry for each row of 'data'.")
    return _from_rows(rows, names, "'data'")


def _from_rows(rows: Sequence[Any], names: Sequence[str], where: str) -> Mapping[str, Sequence[Any]]:
    for number, row in enumerate(rows):
        if not isinstance(row, list):
            raise InvalidRequest(f"{where}, row {number}: each row must be a list of values, one for each column.")
        if len(row) < len(names):
            raise InvalidRequest(f"{where}, row {number}: {len(row)} values; column '{names[len(row)]}' is missing.")
        if len(row) > len(names):
            raise InvalidRequest(
                f"{where}, row {number}: {len(row)} values for {len(names)} columns ({', '.join(names)})."
            )
    return dict(zip(names, zip(*rows)))  # noqa: B905 - strict is of Python 3.10


def _from_records(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Sequence[Any]]:
    names = rows[0].keys()
    if all(row.keys() == names for row in rows):
        return {name: [row[name] for row in rows] for name in names}
    # What a row leaves out counts as null, which the column's own rule takes or refuses.
    union = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in union}


def _column_names(signature: Sequence[Column]) -> str:
    return ", ".join(column.name for column in signature)


def read_params(sent: Any, params: Sequence[Param]) -> Mapping[str, Any]:
    """Return the parameters as they were sent; none for null. Raises `InvalidRequest` naming the one that is wrong.

    MLflow checks them too, and takes null, or whole numbers of any length, for what they are not.
    """
    if sent is None:
        return {}
    if not isinstance(sent, dict):
        raise InvalidRequest("'params' must be an object.")
    known = {param.name: param for param in params}
    for name, value in sent.items():
        if name not in known:
            raise InvalidRequest(f"Parameter '{name}' is not one of the model's: {', '.join(sorted(known)) or 'none'}.")
        _check_param(known[name], value)
    return sent


def _check_param(param: Param, value: Any) -> None:
    rule = TYPE_RULES.get(param.kind)
    if rule is None or (value is None and param.optional):  # of a type that is MLflow's to check
        return
    if param.listed and not isinstance(value, list):
        raise InvalidRequest(f"Parameter '{param.name}': {shown(value)} is not a list.")
    for each in value if param.listed else [value]:
        try:
            rule.read([each])
        except (ValueError, OverflowError, binascii.Error) as error:
            message = f"Parameter '{param.name}': {shown(each)} is not {rule.expected} ({param.kind})."
            raise InvalidRequest(message) from error
