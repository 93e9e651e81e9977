"""What a fitted model is made of, as a flat list of facts: two models are the same when all of these are."""

import types
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

_PLAIN = (str, bytes, int, float, complex, bool, type(None))
_DEPTH = 60
Facts = Mapping[str, object]


def facts_of(model: Any) -> Facts:
    """Return every number, text and array that a model holds, by the path to it."""
    return dict(_walk(model, "model", set(), 0))


def difference(one: Facts, other: Facts) -> str:
    """Return the path of the first fact in which two models differ; nothing when they are the same."""
    for path in (*one, *(path for path in other if path not in one)):
        if path not in one or path not in other or not _equal(one[path], other[path]):
            return path
    return ""


def _walk(value: Any, path: str, above: set[int], depth: int) -> Iterator[tuple[str, object]]:
    if isinstance(value, _PLAIN):
        yield path, value
        return
    if isinstance(value, np.generic):
        yield path, value.item()
        return
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType | types.ModuleType):
        yield path, f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"
        return
    if id(value) in above or depth > _DEPTH:
        return
    for name, part in _parts(value):
        yield from _walk(part, f"{path}{name}", above | {id(value)}, depth + 1)
    if isinstance(value, np.ndarray) and value.dtype != object and not value.dtype.names:
        yield path, value


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a value is made of, each with the way to it."""
    if isinstance(value, np.ndarray):
        if value.dtype.names:  # such as the nodes of a tree, between which NumPy keeps bytes that mean nothing
            yield from ((f"[{name}]", np.ascontiguousarray(value[name])) for name in value.dtype.names)
        elif value.dtype == object:
            yield from ((f"[{place}]", each) for place, each in enumerate(value.ravel()))
    elif isinstance(value, Mapping):
        yield from ((f"[{key!r}]", each) for key, each in value.items())
    elif isinstance(value, list | tuple):
        yield from ((f"[{place}]", each) for place, each in enumerate(value))
    elif isinstance(value, set | frozenset):
        yield "", sorted(map(repr, value))
    elif isinstance(value, pd.DataFrame | pd.Series | pd.Index):
        yield ".values", np.asarray(value)
    else:
        yield from _state(value)


def _state(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the state of an object as pickle would keep it; nothing of one that it cannot keep."""
    try:
        reduced: Any = value.__reduce_ex__(4)
    except Exception:  # noqa: BLE001 - locks, handles and the like are no part of what is fitted
        return
    if isinstance(reduced, str):
        yield "", reduced
        return
    arguments, state = reduced[1], reduced[2] if len(reduced) > 2 else None
    yield "", arguments[1:] if arguments and arguments[0] is type(value) else arguments
    if isinstance(state, Mapping):
        yield from ((f".{name}", each) for name, each in state.items())
    elif state is not None:
        yield "", state


def _equal(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        if one.shape != other.shape or one.dtype != other.dtype:
            return False
        return bool(np.array_equal(one, other, equal_nan=one.dtype.kind in "fc"))
    if isinstance(one, float) and isinstance(other, float) and one != one and other != other:  # noqa: PLR0124 - NaN
        return True
    return type(one) is type(other) and one == other
