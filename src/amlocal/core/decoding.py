"""JSON from outside, decoded at a bounded cost: text of anyone's making.

A few bytes can ask for the whole stack (nesting), or become what JSON has no word for (`1e999`). So size, number of
values and nesting are looked at first, by means whose cost grows with the text alone.
"""

import json
import math
import re
from pathlib import Path
from typing import Any

MAX_JSON = 4 * 2**20
"""Bytes of a JSON body; as many as Azure Resource Manager takes."""
MAX_VALUES = 20_000
"""Of a JSON text, keys counted. MLflow's largest request, of 1,000 metrics, 100 parameters and 100 tags, has half."""
MAX_DEPTH = 100
MAX_TEXT = 2**20
"""Bytes of a file that says what an environment or a model needs."""
MAX_DIGITS = 300  # of a whole number, which is then no more than a floating-point number can be

_SURROGATE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}|\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_LONG_NUMBER = re.compile(r"[0-9]{300}")


def read_definition(path: Path) -> str:
    """Return the text of a file that somebody else wrote. Raises `ValueError`, in one line, and `OSError`."""
    with path.open("rb") as file:
        content = file.read(MAX_TEXT + 1)
    if len(content) > MAX_TEXT:
        raise ValueError(f"{path.name} is longer than {MAX_TEXT} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is not UTF-8: {error}") from error


def read_json(text: str | bytes, limit: int = MAX_JSON) -> Any:
    """Return what a JSON text says. Raises `ValueError`, in one line, for one that is not JSON or is out of bounds."""
    if len(text) > limit:
        raise ValueError(f"it is longer than {limit} bytes")
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")  # not json's own decoder, which lets surrogates pass
    opened = text.count("[") + text.count("{")
    if opened + text.count(",") + text.count(":") > MAX_VALUES:
        raise ValueError(f"it holds more than {MAX_VALUES} values")
    try:
        value = _decode(text)
    except RecursionError as error:
        raise ValueError(f"it is nested more than {MAX_DEPTH} deep") from error
    if opened > MAX_DEPTH:
        _check_depth(value)
    if _SURROGATE.search(text):
        _check_unicode(value)
    return value


def _decode(text: str) -> Any:
    whole = _whole_number if _LONG_NUMBER.search(text) else None
    return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, parse_int=whole)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is Python's, not JSON's")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"the number {text[:40]} is too large")
    return number


def _whole_number(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"the number {text[:40]}... is too large")
    return int(text)


def _check_depth(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, dict | list)]
        if not level:
            return
    raise ValueError(f"it is nested more than {MAX_DEPTH} deep")


def _inside(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _check_unicode(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError("it holds half of a surrogate pair, which is no character") from error
