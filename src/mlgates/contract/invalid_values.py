"""JSON values that cannot be of a type, though some reader may take them for one."""

import math
from collections.abc import Iterator
from dataclasses import replace

from mlgates.contract.invalid import OnAzure
from mlgates.contract.signature import Kind
from mlgates.endpoint_client import Json, ScoringRequest

_REFUSES, _FAILS, _PREDICTS = OnAzure.REFUSES, OnAzure.FAILS, OnAzure.PREDICTS
_OVERFLOW = "1e400"
"""JSON reads it as infinity, and no Python number is written so: a text that `written` takes out of its quotes."""


def written(request: ScoringRequest) -> ScoringRequest:
    """Return the request with the number beyond doubles, where it has one, as a number."""
    return replace(request, body=request.body.replace(f'"{_OVERFLOW}"'.encode(), _OVERFLOW.encode()))


def wrong_values(kind: Kind, *, nullable: bool = False) -> Iterator[tuple[str, OnAzure, Json]]:
    """Yield what each is, what Azure makes of it in a column, and the value."""
    if not nullable:
        yield "null", _FAILS, None
    yield "a list", _FAILS, [1]
    yield "an object", _FAILS, {"value": 1}
    if not kind.number:
        yield "a number", _PREDICTS, 3
        if kind is not Kind.BOOLEAN:
            yield "a boolean", _PREDICTS, True
        yield from _wrong_texts(kind)
        return
    yield "text", _FAILS, "abc"
    yield "an empty text", _FAILS, ""
    yield "a number in quotes", _PREDICTS, "2"
    yield "a boolean", _PREDICTS, True
    yield "NaN", _FAILS, math.nan
    yield "Infinity", _FAILS, math.inf
    yield "-Infinity", _FAILS, -math.inf
    yield "a number beyond doubles", _FAILS, _OVERFLOW
    yield "an integer of 400 digits", _FAILS, 10**400
    if kind.whole:
        yield "a fraction", _PREDICTS, 2.7


def _wrong_texts(kind: Kind) -> Iterator[tuple[str, OnAzure, Json]]:
    match kind:
        case Kind.BOOLEAN:
            yield "true in quotes", _PREDICTS, "true"
        case Kind.BINARY:
            yield "no base64", _PREDICTS, "a"
        case Kind.DATETIME:
            yield "no date", _FAILS, "soon"
            # pandas takes the word for the moment in which it reads it.
            yield "the word now", _PREDICTS, "now"
            yield "a time zone", _FAILS, "2024-02-29T12:00:00+02:00"
            # In 64 bits of nanoseconds this is in 1830.
            yield "the year 3000", _FAILS, "3000-01-01"
