"""YAML from outside, decoded at a bounded cost; a module of its own, since PyYAML is not needed to start or to stop.

A few bytes can ask for gigabytes: aliases of aliases. So nodes are counted first, an alias as what it stands for.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from amlocal.core.decoding import MAX_DEPTH, MAX_DIGITS, MAX_VALUES

MAX_YAML = 2**20  # characters
_MAX_NODES = MAX_VALUES // 2  # YAML is read more slowly than JSON
_ONE_AT_A_TIME = threading.Lock()  # threads that are busy in Python make the event loop wait, each of them
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")  # as a file may call any text
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's where PyYAML was built with it


def read_yaml(text: str) -> Any:
    """Return what a YAML text says: plain data. Raises `ValueError`, in one line, for anything else.

    Takes up to some tenths of a second: call it in a thread.
    """
    if len(text) > MAX_YAML:
        raise ValueError(f"it is longer than {MAX_YAML} characters")
    try:
        with _ONE_AT_A_TIME:
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
    guessed = event.implicit[0] and event.value[:1] in (*"+-.0123456789",)
    if len(event.value) > MAX_DIGITS and (guessed or event.tag in _NUMBERS):
        raise ValueError(f"a number has more than {MAX_DIGITS} digits")
