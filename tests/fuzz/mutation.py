"""Bodies that are nearly right: a few places of a good one replaced, left out, wrapped, renamed or nested."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.fuzz.bodies import ARM, MLFLOW
from tests.fuzz.words import KEYS, NUMBERS, RAW, TEXTS

_BLOCKS = b"<?xml version='1.0'?><BlockList><Latest>YQ==</Latest></BlockList>"
_BYTES = [b"", b"abc", _BLOCKS, _BLOCKS[:40], b"<!DOCTYPE x>" + _BLOCKS]
_DEPTHS = [5, 60, 99, 120]


@dataclass(frozen=True, slots=True)
class Spice:
    """What requests are spoilt with: chance, and the texts and JSON values that hypothesis drew."""

    chance: random.Random
    texts: Sequence[str]
    values: Sequence[Any]

    def text(self) -> str:
        """Return a text: one that is known to hurt, or a drawn one."""
        return self.chance.choice(self.texts if self.texts and self.chance.random() < 0.4 else TEXTS)

    def number(self) -> float:
        """Return a number that is known to hurt."""
        return self.chance.choice(NUMBERS)

    def value(self) -> Any:
        """Return any JSON value."""
        kind = self.chance.randrange(8)
        if kind < 2 and self.values:
            return json.loads(json.dumps(self.chance.choice(self.values)))  # its own, since it may be changed
        return (None, True, self.number(), self.number(), self.text(), self.text(), [self.text()], {self.text(): 1})[
            kind
        ]


def body_for(path: str, spice: Spice, *, raw: bool = True) -> bytes:
    """Return a body for a path: one as it should be, mutated; or what is none."""
    if (good := _GOOD.get(path)) is None:
        good = _GOOD[path] = _good(path)
    chance = spice.chance
    if not good:
        return chance.randbytes(9) if chance.random() < 0.2 else chance.choice(_BYTES)
    if raw and chance.random() < 0.07:
        return chance.choice(RAW)
    body = chance.choice(good)
    mutations = chance.choice((0, 0, 0, 1, 1, 1, 2, 3))
    return _mutated(body, mutations, spice) if mutations else body


_GOOD: dict[str, list[bytes]] = {}


def _good(path: str) -> list[bytes]:
    """Return the bodies that a path may be sent; none for the paths of blobs."""
    table = MLFLOW if path.startswith("/mlflow") else ARM
    part = max((part for part in table if part in path), key=len, default=None)
    return [] if part is None else [json.dumps(body).encode() for body in table[part]]


def _mutated(good: bytes, mutations: int, spice: Spice) -> bytes:
    body = json.loads(good)
    for _ in range(mutations):
        if not (places := _places(body)):
            break
        holder, key = spice.chance.choice(places)
        spice.chance.choice(_MUTATIONS)(spice, holder, key)
    return json.dumps(body).encode()


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Return every member and item at any depth, as what holds it and its key."""
    found: list[tuple[Any, Any]] = []
    pending = [value]
    while pending:
        holder = pending.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                pending.append(holder[key])
    return found


def _replace(spice: Spice, holder: Any, key: Any) -> None:
    holder[key] = spice.value()


def _remove(_: Spice, holder: Any, key: Any) -> None:
    del holder[key]


def _wrap(_: Spice, holder: Any, key: Any) -> None:
    holder[key] = [holder[key]] if isinstance(holder[key], dict) else {"x": holder[key]}


def _rename(spice: Spice, holder: Any, key: Any) -> None:
    if isinstance(holder, dict):
        holder[spice.chance.choice(KEYS) if spice.chance.random() < 0.7 else spice.text()] = holder.pop(key)


def _add(spice: Spice, holder: Any, _: Any) -> None:
    if isinstance(holder, dict):
        holder[spice.chance.choice(KEYS)] = spice.value()
    else:
        holder.append(spice.value())


def _as_text(_: Spice, holder: Any, key: Any) -> None:
    holder[key] = json.dumps(holder[key])


def _deepen(spice: Spice, holder: Any, key: Any) -> None:
    for _ in range(spice.chance.choice(_DEPTHS)):
        holder[key] = [holder[key]]


_MUTATIONS: list[Callable[[Spice, Any, Any], None]] = [
    _replace, _replace, _replace, _replace, _remove, _wrap, _rename, _add, _as_text, _deepen,
]  # fmt: skip
