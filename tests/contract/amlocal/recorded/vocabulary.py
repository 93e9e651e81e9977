"""How an answer of Azure is written down here, and how another answer differs from it.

A shape is a plain value (which must be equal), a `Kind`, a dictionary of shapes (every key, and no other), a tuple of
shapes (one for each item), a list of one shape (for every item), or one of the wrappers below.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Shape = Any


@dataclass(frozen=True)
class Kind:
    """A value of a kind, whatever it is."""

    name: str
    holds: Callable[[Any], bool]


@dataclass(frozen=True)
class Template:
    """A text in which `{name}` stands for any text."""

    text: str

    def holds(self, value: object) -> bool:
        pattern = re.sub(r"\\\{\w+\\\}", ".+?", re.escape(self.text))
        return isinstance(value, str) and bool(re.fullmatch(pattern, value, re.DOTALL))


@dataclass(frozen=True)
class Maybe:
    """A shape or null."""

    shape: Shape


@dataclass(frozen=True)
class Each:
    """An object with any keys, every value of one shape."""

    shape: Shape


def _is_date(value: object) -> bool:
    if not isinstance(value, str) or not re.search(r"(Z|\+00:00)$", value):
        return False
    return datetime.fromisoformat(value).tzinfo is not None


def _is_arm_id(value: object) -> bool:
    return isinstance(value, str) and bool(re.match(r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/", value))


STR = Kind("text", lambda value: isinstance(value, str))
BOOL = Kind("boolean", lambda value: isinstance(value, bool))
INT = Kind("whole number", lambda value: isinstance(value, int) and not isinstance(value, bool))
DATE = Kind("date", _is_date)
ARM = Kind("ARM id", _is_arm_id)
URI = Kind("URI", lambda value: isinstance(value, str) and bool(re.match(r"[a-z]+://.", value)))
SPAN = Kind(
    ".NET duration", lambda value: isinstance(value, str) and bool(re.fullmatch(r"\d\d:\d\d:\d\d\.\d{7}", value))
)
TEXTS = Each(STR)
EMPTY: dict[str, Shape] = {}


def differences(shape: Shape, value: object, path: str = "") -> Iterator[str]:
    """Yield where `value` is not of `shape`: a path, and what is the matter there."""
    match shape:
        case Maybe(inner):
            if value is not None:
                yield from differences(inner, value, path)
        case Kind() | Template():
            if not shape.holds(value):
                yield f"{path}: {value!r} is not {shape}" if isinstance(shape, Template) else f"{path}: no {shape.name}"
        case Each(inner):
            yield from _of_object(dict.fromkeys(value if isinstance(value, dict) else (), inner), value, path)
        case dict():
            yield from _of_object(shape, value, path)
        case list() | tuple():
            yield from _of_list(shape, value, path)
        case _:
            if type(shape) is not type(value) or shape != value:
                yield f"{path}: {value!r} instead of {shape!r}"


def _of_list(shape: list[Shape] | tuple[Shape, ...], value: object, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: no list"
        return
    shapes = shape if isinstance(shape, tuple) else shape * len(value)
    if len(shapes) != len(value):
        yield f"{path}: {len(value)} items instead of {len(shapes)}"
    for number, (inner, item) in enumerate(zip(shapes, value, strict=False)):
        yield from differences(inner, item, f"{path}[{number}]")


def _of_object(shape: Mapping[str, Shape], value: object, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: no object"
        return
    yield from (f"{path}.{key}: missing" for key in shape if key not in value)
    yield from (f"{path}.{key}: not in Azure's answer" for key in value if key not in shape)
    for key, inner in shape.items():
        if key in value:
            yield from differences(inner, value[key], f"{path}.{key}")


def places(shape: Shape, value: object) -> set[str]:
    """Return the paths at which `value` is not of `shape`."""
    return {line.partition(": ")[0] for line in differences(shape, value)}
