"""The contract as a value: the inputs, outputs and parameters of a model, and which JSON values are of which type.

Types are told strictly: what would have to be guessed, cut or rounded is refused.
"""

import base64
import binascii
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from mlgates.endpoint_client import Json

MOMENT = r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?$"
"""How a datetime is written. Without a time zone: MLflow's have none, and a shift that nobody sees would be a lie."""
YEARS = (1678, 2261)
"""Those that 64 bits of nanoseconds, which is what a model gets, hold whole."""


class DataType(StrEnum):
    """The scalar types of MLflow (`mlflow.types.DataType`), by the names that a signature uses."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    LONG = "long"
    FLOAT = "float"
    DOUBLE = "double"
    STRING = "string"
    BINARY = "binary"
    DATETIME = "datetime"

    @property
    def whole(self) -> bool:
        """True for integers of 32 or 64 bits."""
        return self in {DataType.INTEGER, DataType.LONG}

    @property
    def number(self) -> bool:
        """True for what JSON writes as a number."""
        return self.whole or self in {DataType.FLOAT, DataType.DOUBLE}


INTEGERS = {DataType.INTEGER: (-(2**31), 2**31 - 1), DataType.LONG: (-(2**63), 2**63 - 1)}
LARGEST = {DataType.FLOAT: 3.4028234663852886e38, DataType.DOUBLE: 1.7976931348623157e308}


def problem_of(value: object, data_type: DataType) -> str | None:
    """Return what keeps the parsed JSON `value` from being of `data_type`, to be put after the field's name; else None.

    A whole number may be written 2 or 2.0, but 2.7 is none (MLflow would cut it to 2); a boolean is no number and
    text is no number (pandas would take both for one).
    """
    if value is None:
        return "is null, and a value is required"
    if data_type.number:
        return _problem_of_number(value, data_type)
    if data_type is DataType.BOOLEAN:
        return None if isinstance(value, bool) else _unlike(value, "true or false")
    if not isinstance(value, str):
        return _unlike(value, "text")
    return _problem_of_text(value, data_type)


def _problem_of_number(value: object, data_type: DataType) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _unlike(value, "a whole number" if data_type.whole else "a number")
    if isinstance(value, float) and not math.isfinite(value):
        return f"is {value}, and a finite number is required"
    if data_type.whole:
        low, high = INTEGERS[data_type]
        if value != int(value):
            return f"is {value}, and a whole number is required"
        return None if low <= value <= high else f"is out of range: {low} to {high}"
    return None if abs(value) <= LARGEST[data_type] else f"is out of range: at most {LARGEST[data_type]:g} either way"


def _problem_of_text(value: str, data_type: DataType) -> str | None:
    try:
        if data_type is DataType.BINARY:
            base64.b64decode(value, validate=True)
        elif data_type is DataType.DATETIME:
            _check_moment(value)
    except (ValueError, binascii.Error):
        moment = (
            f"a date and time such as 2026-01-31T12:00:00, without time zone, of the years {YEARS[0]} to {YEARS[1]}"
        )
        return f"is not {'base64' if data_type is DataType.BINARY else moment}"
    return None


def _check_moment(value: str) -> None:
    if not (re.match(MOMENT, value) and YEARS[0] <= datetime.fromisoformat(value).year <= YEARS[1]):
        raise ValueError(value)


def _unlike(value: object, wanted: str) -> str:
    return f"is {json_type(value)}, and {wanted} is required"


def json_type(value: object) -> str:
    """Return how JSON calls the type of a parsed value, with an article."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
    return "an object"


def same(one: Json, other: Json, *, tolerance: float = 1e-9) -> bool:
    """Return whether two answers agree: exactly, floats within the relative `tolerance`, and NaN with NaN.

    Summation order differs with the number of rows in one call, and so may the last bits of a float.
    """
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b, tolerance=tolerance) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key], tolerance=tolerance) for key in one)
    if isinstance(one, float) or isinstance(other, float):
        numbers = [each for each in (one, other) if isinstance(each, int | float) and not isinstance(each, bool)]
        if len(numbers) == 2 and all(math.isnan(each) for each in numbers):
            return True
        return len(numbers) == 2 and math.isclose(*numbers, rel_tol=tolerance, abs_tol=tolerance)
    return type(one) is type(other) and one == other


@dataclass(frozen=True, slots=True)
class ValueRange:
    """The values that an expectation suite allows in a column; both ends are allowed themselves."""

    minimum: float | None = None
    maximum: float | None = None
    whole: bool = False
    """True when the column holds whole numbers, whatever type the signature gives it."""
    values: tuple[Json, ...] = ()
    """The only values allowed; empty when the column is not a choice."""


UNLIMITED = ValueRange()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a frame; a model with an unnamed signature has columns with the names "0", "1", ..."""

    name: str
    type: DataType
    required: bool = True
    limits: ValueRange = UNLIMITED

    @property
    def nullable(self) -> bool:
        """True when null stands for an absent value: in columns that may be left out, of a type with room for it."""
        return not self.required and not self.type.whole and self.type is not DataType.BOOLEAN


@dataclass(frozen=True, slots=True)
class Tensor:
    """One array; `name` is empty for the only, unnamed one. A length of -1 in `shape` is any length."""

    name: str
    type: DataType
    shape: tuple[int, ...]
    dtype: str
    """As NumPy spells it, such as `int64`."""

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of one row: all lengths but the first."""
        return self.shape[1:]


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of `predict`; callers may leave it out, and then it is `default`."""

    name: str
    type: DataType
    default: Json = None
    listed: bool = False
    """True for a list of `type`."""


Input: TypeAlias = Column | Tensor


@dataclass(frozen=True, slots=True)
class ModelContract:
    """What a model promises; made by `read_contract`."""

    inputs: tuple[Input, ...]
    outputs: tuple[Input, ...] = ()
    """Empty when the signature says nothing about the answer."""
    params: tuple[Param, ...] = ()
    example: tuple[tuple[Json, ...], ...] = ()
    """The rows of the input example, a value an input; empty without one."""
    named: bool = True
    """False when the signature has no names, and only position tells the inputs apart."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The inputs of a column signature; empty for tensors."""
        return tuple(each for each in self.inputs if isinstance(each, Column))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The inputs of a tensor signature; empty for columns."""
        return tuple(each for each in self.inputs if isinstance(each, Tensor))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the inputs, in the order of the signature."""
        return tuple(each.name for each in self.inputs)


def last_required(contract: ModelContract) -> int:
    """Return how many values a list must have at least: up to the last column that may not be left out."""
    return max((place for place, column in enumerate(contract.columns, 1) if column.required), default=0)


@dataclass(frozen=True, slots=True)
class Batch:
    """What a request means, whatever its format: rows with a value for each of the inputs named."""

    names: tuple[str, ...]
    rows: tuple[tuple[Json, ...], ...]
    params: Mapping[str, Json] = field(default_factory=dict)
