"""Text from outside, decoded at a bounded cost: JSON and YAML of anyone's making.

A few bytes can ask for gigabytes (aliases of aliases), for the whole stack (nesting), or become what JSON has no word
for (`1e999`). So size, number of values and nesting are looked at first, by means whose cost grows with the text alone.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

MAX_JSON = 4 * 2**20
"""Bytes of a JSON body; as many as Azure Resource Manager takes."""
MAX_YAML = 2**20  # characters
MAX_VALUES = 50_000
"""Of a JSON text, keys counted; a YAML text may have a fifth, aliases counted as what they stand for."""
MAX_DEPTH = 100
_MAX_NODES = MAX_VALUES // 5  # YAML is read more slowly
_MAX_DIGITS = 300  # of a whole number, which is then no more than a floating-point number can be

_SURROGATE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}|\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_LONG_NUMBER = re.compile(r"[0-9]{300}")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's where PyYAML was built with it


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
    if len(text) > _MAX_DIGITS:
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


def read_yaml(text: str) -> Any:
    """Return what a YAML text says: plain data. Raises `ValueError`, in one line, for anything else.

    Takes up to some tenths of a second: call it in a thread.
    """
    if len(text) > MAX_YAML:
        raise ValueError(f"it is longer than {MAX_YAML} characters")
    try:
        _check_nodes(yaml.parse(text, Loader=_LOADER))
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader, C's or Python's
    # What libyaml and Python's own types refuse: a day that is none, a list as a key.
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ValueError(" ".join(str(error).split())) from error
    # What PyYAML's constructors trip over: `!!int ''`, `!!bool x`, `!!timestamp x`.
    except (LookupError, AttributeError, ArithmeticError) as error:
        raise ValueError("a value is not what its tag says") from error


@dataclass(slots=True)
class _Node:
    """An open list or mapping: its name, how many nodes it holds and how deep they are nested."""

    anchor: str | None
    size: int = 1
    height: int = 1

    def add(self, size: int, height: int) -> None:
        self.size += size
        self.height = max(self.height, height + 1)


def _check_nodes(events: Iterator[Any]) -> None:
    """Raise `ValueError` as soon as the events of a YAML text amount to too much; an alias counts as its content."""
    named: dict[str, tuple[int, int]] = {}
    open_nodes = [_Node(None, height=0)]
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append(_Node(event.anchor))
        elif isinstance(event, yaml.CollectionEndEvent):
            node = open_nodes.pop()
            _count(open_nodes, named, node.anchor, (node.size, node.height))
        elif isinstance(event, yaml.ScalarEvent):
            _check_number(event)
            _count(open_nodes, named, event.anchor, (1, 0))
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in named:
                raise ValueError(f"the alias *{event.anchor} stands for nothing, or for what it is a part of")
            _count(open_nodes, named, None, named[event.anchor])
        if len(open_nodes) > MAX_DEPTH:
            raise ValueError(f"it is nested more than {MAX_DEPTH} deep")


def _count(open_nodes: list[_Node], named: dict[str, tuple[int, int]], anchor: str | None, of: tuple[int, int]) -> None:
    if anchor is not None:
        named[anchor] = of
    open_nodes[-1].add(*of)
    if sum(node.size for node in open_nodes) > _MAX_NODES:
        raise ValueError(f"it holds more than {_MAX_NODES} values, aliases counted as what they stand for")
    if len(open_nodes) + open_nodes[-1].height > MAX_DEPTH + 2:
        raise ValueError(f"it is nested more than {MAX_DEPTH} deep")


def _check_number(event: yaml.ScalarEvent) -> None:
    # To make a number of its digits takes a time that grows with their square, and YAML has numbers to the base of 60.
    if event.implicit[0] and len(event.value) > _MAX_DIGITS and event.value[0] in "+-.0123456789":
        raise ValueError(f"a number has more than {_MAX_DIGITS} digits")
