"""What a client sent: JSON decoded at a bounded cost, and fields of the kinds that Azure's schema says, or a 400.

A few bytes can ask for the whole stack (nesting), or become what JSON has no word for (`1e999`). So size, number of
values and nesting are looked at first, by means whose cost grows with the text alone.
"""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amlocal.core.errors import BadRequest

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
Sent = Mapping[str, Any]  # a decoded JSON object
MAX_TEXTS = 1000  # tags or properties of one resource: each tag is a row of the index that lists are filtered by
# Nine digits are thirty years of seconds: no honest duration has more, and no clock takes them.
_DURATION = re.compile(
    r"P(?=.*\d)(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,9})?)S)?)?",
    re.ASCII,
)
# Azure ML: letters, digits, - _ . and at most 255 characters, the first a letter or digit.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,254}")
_UNIT_SECONDS = {"days": 86400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0}


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


def check_name(name: str, what: str) -> str:
    """Return `name`, or raise `BadRequest` when Azure ML would not take it as a name or version."""
    if not _NAME.fullmatch(name):
        raise BadRequest(
            f"The {what} {name!r} is not valid: it starts with a letter or digit and holds letters, digits, "
            "'-', '_' and '.', at most 255."
        )
    return name


def text(sent: Sent, key: str) -> str | None:
    """Return a text, None when it is absent, null or empty. Raises `BadRequest` for another kind of value."""
    value = sent.get(key)
    if isinstance(value, str | None):
        return value or None
    raise BadRequest(f"The key '{key}' must be a text, not {_kind(value)}.")


def flag(sent: Sent, key: str) -> bool:
    """Return a boolean, False when it is absent or null. Raises `BadRequest` for another kind of value."""
    value = sent.get(key)
    if isinstance(value, bool | None):
        return bool(value)
    raise BadRequest(f"The key '{key}' must be true or false, not {_kind(value)}.")


def mapping(sent: Sent, key: str) -> dict[str, Any]:
    """Return an object, {} when it is absent or null. Raises `BadRequest` for another kind of value."""
    value = sent.get(key)
    if isinstance(value, dict | None):
        return value or {}
    raise BadRequest(f"The key '{key}' must be an object, not {_kind(value)}.")


def texts(sent: Sent, key: str) -> dict[str, str]:
    """Return tags or properties as Azure keeps them: names to texts, nulls left out, other plain values as text.

    Raises `BadRequest` for anything else.
    """
    found = mapping(sent, key)
    if len(found) > MAX_TEXTS:
        raise BadRequest(f"The key '{key}' has {len(found)} entries; {MAX_TEXTS} are the most that are taken.")
    for name, value in found.items():
        if isinstance(value, dict | list):
            raise BadRequest(f"{name!r} in '{key}' must be a text, not {_kind(value)}.")
    return {name: str(value) for name, value in found.items() if value is not None}


def texts_of(sent: Sent, key: str) -> list[str]:
    """Return a list of texts, [] when it is absent or null. Raises `BadRequest` for anything else."""
    found = sent.get(key)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise BadRequest(f"The key '{key}' must be a list of texts.")
    return found


def count(sent: Sent, key: str, *, default: int) -> int:
    """Return a whole number of at least 0, `default` when it is absent or null. Raises `BadRequest` otherwise."""
    value = sent.get(key)
    if value is None:
        return default
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise BadRequest(f"The key '{key}' must be a whole number of at least 0, not {value!r}.")


def _kind(value: object) -> str:
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object"}
    return kinds[type(value)]


def seconds(sent: object) -> float:
    """Return the seconds of a duration such as `PT1H30M` or `P1DT0.5S`. Raises `BadRequest` on anything else."""
    found = _DURATION.fullmatch(sent) if isinstance(sent, str) else None
    if found is None:
        raise BadRequest(f"{sent!r} is not an ISO 8601 duration such as PT1H30M.")
    return sum(float(found[unit] or 0) * size for unit, size in _UNIT_SECONDS.items())
