"""A model's signature, and what a JSON value must be to fit into it: columns, tensors, parameters.

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

_SHOWN = 60  # characters of a value in a message
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?", re.ASCII)
_LARGEST_FLOAT = float(np.finfo(np.float32).max)
_TENSOR_TYPES: dict[str, set[type]] = {"b": {bool}, "i": {int, float}, "u": {int, float}, "f": {int, float}}
"""By the kind of a NumPy type, what JSON must hold; by exact type, since to Python True is an int. Else text."""


class InvalidRequest(Exception):
    """The client's mistake: `status` is 4xx, the text names the field."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Column:
    """A named input of the model; `kind` is MLflow's name of its type."""

    name: str
    kind: str
    required: bool = True


@dataclass(frozen=True)
class Tensor:
    """An input of the model; -1 in `shape` is any size, `name` is None for the only, unnamed one."""

    name: str | None
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"Tensor '{self.name}'" if self.name else "'input_data'"


@dataclass(frozen=True)
class Param:
    """A parameter of the model; `kind` is MLflow's name of its type, `optional` one whose default is null."""

    name: str
    kind: str
    listed: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Signature:
    """What a model takes: `columns` (plain ones), or `tensors`; neither for a model that MLflow must check.

    Columns without names are called "0", "1", ... here, and 0, 1, ... for the model. `params` may be
    sent beside the data. With `split_only` a table is sent as 'columns' and 'data' and no other way: Azure's scoring
    script reads the requests of a model with named columns by pandas' `orient="split"`, and fails on all others
    (docs/amlocal.md, "Online endpoints").
    """

    columns: Sequence[Column] = ()
    tensors: Sequence[Tensor] = ()
    params: Sequence[Param] = ()
    named: bool = True
    split_only: bool = False


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
class _TypeRule:
    """`read` turns values into an array, raising on one that is not `expected`; `null` is an absent one's place."""

    read: Callable[[Sequence[Any]], np.ndarray]
    expected: str
    null: Any = ...  # ... where the type has no place for an absent value


TYPE_RULES = {
    "double": _TypeRule(_doubles, "a finite number", math.nan),
    "float": _TypeRule(_floats, "a finite number of 32 bits", math.nan),
    "long": _TypeRule(_whole(np.int64), "a whole number of 64 bits"),
    "integer": _TypeRule(_whole(np.int32), "a whole number of 32 bits"),
    "boolean": _TypeRule(_booleans, "true or false"),
    "string": _TypeRule(_strings, "a text", None),
    "binary": _TypeRule(_binaries, "a text in base64", None),
    "datetime": _TypeRule(_datetimes, "a date such as 2026-01-31T12:00:00 without time zone", np.datetime64("NaT")),
}
"""By MLflow's name of the type."""


def read_columns(columns: Sequence[Column], values: Mapping[str, Sequence[Any]]) -> dict[str, np.ndarray]:
    """Return each column as an array of its type. Raises `InvalidRequest` naming the column and the row."""
    of_kind: dict[str, list[Column]] = {}
    for column in columns:
        of_kind.setdefault(column.kind, []).append(column)
    found: dict[str, np.ndarray] = {}
    for kind, alike in of_kind.items():
        found.update(_read_alike(TYPE_RULES[kind], alike, values))
    return {column.name: found[column.name] for column in columns}


def _read_alike(
    rule: _TypeRule, columns: Sequence[Column], values: Mapping[str, Sequence[Any]]
) -> dict[str, np.ndarray]:
    # All in one go: a request has many columns and few rows, and arrays cost by the number of them.
    flat = [value for column in columns for value in values[column.name]]
    try:
        table = rule.read(flat).reshape(len(columns), -1)
    except (ValueError, OverflowError, binascii.Error):  # one by one, for what is absent, or to name what is wrong
        return {column.name: read_column(column, values[column.name]) for column in columns}
    return {column.name: row for column, row in zip(columns, table)}  # noqa: B905 - strict is of Python 3.10


def read_column(column: Column, values: Sequence[Any]) -> np.ndarray:
    """Return the values of a column as an array of its type. Raises `InvalidRequest` naming the column and the row."""
    rule = TYPE_RULES[column.kind]
    try:
        if None not in values:
            return rule.read(values)
        return _with_nulls(column, rule, values)
    except (ValueError, OverflowError, binascii.Error) as error:
        raise _invalid_column(column, rule, values) from error


def _with_nulls(column: Column, rule: _TypeRule, values: Sequence[Any]) -> np.ndarray:
    if column.required or rule.null is ...:
        raise ValueError
    present = [value is not None for value in values]
    read = rule.read([value for value in values if value is not None])
    found = np.full(len(values), rule.null, dtype=read.dtype)
    found[present] = read
    return found


def _invalid_column(column: Column, rule: _TypeRule, values: Sequence[Any]) -> InvalidRequest:
    for row, value in enumerate(values):
        try:
            _ = rule.read([value]) if value is not None else _with_nulls(column, rule, [value])
        except (ValueError, OverflowError, binascii.Error):
            return InvalidRequest(
                f"Column '{column.name}', row {row}: {shown(value)} is not {rule.expected} ({column.kind})."
            )
    return InvalidRequest(f"Column '{column.name}' does not hold {rule.expected} ({column.kind}) in each row.")


def shown(value: Any) -> str:
    """Return a value of a request for a message, cut short."""
    text = "null" if value is None else f"{value:.6g}" if isinstance(value, float) else f"{value!r:.{_SHOWN}}"
    return text if len(text) < _SHOWN else f"{text}…"


def read_tensors(data: Any, signature: Sequence[Tensor]) -> np.ndarray | dict[str, np.ndarray]:
    """Return the tensor, or the tensors by name. Raises `InvalidRequest` naming the one that does not fit."""
    if len(signature) == 1 and signature[0].name is None:
        return _read_tensor(data, signature[0])
    if not isinstance(data, dict):
        raise InvalidRequest(
            f"'input_data' must hold tensors by name: {', '.join(str(one.name) for one in signature)}."
        )
    unknown = [name for name in data if name not in {one.name for one in signature}]
    if unknown:
        raise InvalidRequest(f"Tensor '{unknown[0]}' is not one of the model's.")
    missing = [one.name for one in signature if one.name not in data]
    if missing:
        raise InvalidRequest(f"Tensor '{missing[0]}' is missing; the model needs it.")
    return {str(one.name): _read_tensor(data[one.name], one) for one in signature}


def _read_tensor(data: Any, tensor: Tensor) -> np.ndarray:
    # As JSON has them: NumPy would make 1.0 of true, and cut long integers. What is ragged gets a shape of fewer sizes.
    raw = np.array(data, dtype=object)
    fits = len(raw.shape) == len(tensor.shape) and all(
        want in (-1, size)
        for want, size in zip(tensor.shape, raw.shape)  # noqa: B905 - strict is of Python 3.10
    )
    if not fits:
        raise InvalidRequest(f"{tensor.label} has the shape {raw.shape}, not {tensor.shape} (-1: any size).")
    if not len(raw):
        raise InvalidRequest(f"{tensor.label} is empty.")
    try:
        return _cast_tensor(raw, tensor.dtype)
    except (ValueError, OverflowError) as error:
        message = f"{tensor.label} holds values that are not {tensor.dtype} (finite, none cut off or out of range)."
        raise InvalidRequest(message) from error


def _cast_tensor(raw: np.ndarray, wanted: np.dtype[Any]) -> np.ndarray:
    """Return the values in the type of the signature. Raises `ValueError` or `OverflowError` when one is none of it."""
    if not set(map(type, raw.flat)) <= _TENSOR_TYPES.get(wanted.kind, {str}):
        raise ValueError
    if wanted.kind in "iu" and not all(type(value) is int or value.is_integer() for value in raw.flat):
        raise ValueError
    with np.errstate(over="ignore"):  # to infinity, which is refused
        cast = raw.astype(wanted)
    if wanted.kind == "f" and not np.isfinite(cast).all():
        raise ValueError
    return cast
