"""A smaller request that is answered with the same fault."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.fuzz.requests import Request
from tests.fuzz.sender import Findings, Sender

_TRIES = 200


async def shrink(request: Request, kind: str, sender: Sender) -> Request:
    """Return the request with all left out that the fault of that `kind` does not need, as far as some tries go."""
    tries, smaller = 0, True
    while smaller:
        smaller = False
        for candidate in _smaller(request):
            tries += 1
            if tries > _TRIES:
                return request
            if await _kind_of(candidate, sender) == kind:
                request, smaller = candidate, True
                break
    return request


async def _kind_of(request: Request, sender: Sender) -> str | None:
    kept, sender.findings = sender.findings, Findings()
    await sender.send([request])
    await sender.wait()
    found, sender.findings = [kind for _, _, kind in sender.findings.faults], kept
    return found[0] if found else None


def _smaller(request: Request) -> Iterator[Request]:
    """Yield the request without a header, without a part of its query, without a part of its body."""
    for number in range(len(request.headers)):
        yield replace(request, headers=request.headers[:number] + request.headers[number + 1 :])
    path, mark, query = request.target.partition(b"?")
    if mark:
        pairs = query.split(b"&")
        yield replace(request, target=path)
        for number in range(len(pairs) if len(pairs) > 1 else 0):
            yield replace(request, target=path + b"?" + b"&".join(pairs[:number] + pairs[number + 1 :]))
    if request.body:
        yield replace(request, body=b"")
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return
    for smaller in _without(body):
        yield replace(request, body=json.dumps(smaller).encode())


def _without(value: Any) -> Iterator[Any]:
    """Yield a JSON value without one of its members, the outer ones first."""
    if isinstance(value, dict):
        yield from ({name: inner for name, inner in value.items() if name != key} for key in value)
        for key in value:
            yield from ({**value, key: inner} for inner in _without(value[key]))
    elif isinstance(value, list):
        yield from (value[:number] + value[number + 1 :] for number in range(len(value)))
        for number, item in enumerate(value):
            yield from ([*value[:number], inner, *value[number + 1 :]] for inner in _without(item))
