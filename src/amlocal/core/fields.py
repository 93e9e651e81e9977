"""Reading what a client sent: each field is of the kind that Azure's schema says, or the answer is 400."""

import re
from collections.abc import Mapping
from typing import Any

from amlocal.core.errors import BadRequest

Sent = Mapping[str, Any]  # a decoded JSON object
MAX_TEXTS = 1000  # tags or properties of one resource: each tag is a row of the index that lists are filtered by
# Nine digits are thirty years of seconds: no honest duration has more, and no clock takes them.
_DURATION = re.compile(
    r"P(?=.*\d)(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,9})?)S)?)?",
    re.ASCII,
)
_UNIT_SECONDS = {"days": 86400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0}


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
