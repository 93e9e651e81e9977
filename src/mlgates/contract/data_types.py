"""Which JSON values are of which type, told strictly: what would have to be guessed, cut or rounded is refused."""

import base64
import binascii
import math
import re
from datetime import datetime
from enum import StrEnum

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
    """Tell whether two answers agree: exactly, floats within the relative `tolerance`, and NaN with NaN.

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
