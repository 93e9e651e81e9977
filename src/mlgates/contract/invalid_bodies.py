"""Requests that are wrong before a value is looked at: bytes, encoding, content type, top-level keys."""

import json
from collections.abc import Iterator

from mlgates.contract.invalid import Invalid, OnAzure
from mlgates.contract.invalid_values import written, wrong_values
from mlgates.contract.requests import dump
from mlgates.contract.signature import Batch, Param
from mlgates.endpoint_client import JSON_HEADERS, Json, ScoringRequest

_REFUSES, _FAILS, _PREDICTS = OnAzure.REFUSES, OnAzure.FAILS, OnAzure.PREDICTS
_DEPTH = 100_000
"""Far beyond what a recursive parser can hold, in a body of 200 kB."""


def of(request: ScoringRequest, batch: Batch) -> Iterator[Invalid]:
    """Yield the spoilt copies of `request`, a valid one that means `batch`."""
    yield from _bytes(request)
    yield from _headers(request)
    yield from _keys(json.loads(request.body), batch)


def of_param(request: ScoringRequest, batch: Batch, param: Param) -> Iterator[Invalid]:
    """Yield copies of `request` in which the value of one parameter cannot be one of its type."""
    document = json.loads(request.body)
    values = [
        (what, on_azure, wrong)
        for what, on_azure, wrong in wrong_values(param.kind, nullable=not param.listed and param.default is None)
        if what != "a list"
    ]
    if param.listed:
        values = [(f"{what} in its list", on_azure, [wrong]) for what, on_azure, wrong in values]
        values.append(("no list", OnAzure.FAILS, "text" if param.kind.number else 3))
    else:
        values.append(("a list", OnAzure.FAILS, [1]))
    for what, on_azure, wrong in values:
        body = dump({**document, "params": {**batch.params, param.name: wrong}})
        yield Invalid(
            f"parameter {param.name}: {what}", param.name, on_azure, written(ScoringRequest(body, JSON_HEADERS))
        )


def _bytes(request: ScoringRequest) -> Iterator[Invalid]:
    body = request.body
    yield Invalid("empty body", "JSON", _REFUSES, ScoringRequest(b""))
    yield Invalid("not JSON", "JSON", _REFUSES, ScoringRequest(b"name=value"))
    yield Invalid("cut short", "JSON", _REFUSES, ScoringRequest(body[:-1]))
    yield Invalid("more after the end", "JSON", _REFUSES, ScoringRequest(body + b"{}"))
    # Python's JSON recurses in C and gives up with an error that is no parse error, so the server crashes.
    deep = b'{"input_data": ' + b"[" * _DEPTH + b"]" * _DEPTH + b"}"
    yield Invalid("nested too deeply", "deep", _FAILS, ScoringRequest(deep))
    # Python's JSON finds out by itself that bytes are UTF-16; RFC 8259 has UTF-8 alone.
    yield Invalid("in UTF-16", "UTF-8", _PREDICTS, ScoringRequest(body.decode().encode("utf-16")))
    yield Invalid("bytes that are not UTF-8", "UTF-8", _FAILS, ScoringRequest(body[:-1] + b', "\xff\xfe": 1}'))
    yield Invalid("a list at the top", "input_data", _REFUSES, ScoringRequest(b"[[1, 2]]"))
    yield Invalid("null at the top", "input_data", _REFUSES, ScoringRequest(b"null"))


def _headers(request: ScoringRequest) -> Iterator[Invalid]:
    for name, headers, on_azure in (
        ("plain text as content type", {"Content-Type": "text/plain"}, _REFUSES),
        ("CSV as content type", {"Content-Type": "text/csv"}, _REFUSES),
        ("no content type", {}, _REFUSES),
        ("another charset", {"Content-Type": "application/json; charset=utf-16"}, _PREDICTS),
    ):
        yield Invalid(name, "Content-Type", on_azure, ScoringRequest(request.body, headers))


def _keys(document: dict[str, Json], batch: Batch) -> Iterator[Invalid]:
    data = document["input_data"]
    for name, names, on_azure, wrong in (
        ("an empty object", "input_data", _REFUSES, {}),
        ("MLflow's key instead of Azure's", "input_data", _REFUSES, {"dataframe_split": data}),
        ("a key in the wrong case", "input_data", _REFUSES, {"Input_Data": data}),
        ("an unknown key beside the data", "verbose", _PREDICTS, {**document, "verbose": True}),
        ("data null", "input_data", _FAILS, {"input_data": None}),
        ("data a number", "input_data", _FAILS, {"input_data": 3}),
        ("data a text", "input_data", _FAILS, {"input_data": json.dumps(data)}),
        ("no rows", "input_data", _FAILS, {"input_data": []}),
        ("params a list", "params", _PREDICTS, {**document, "params": [1]}),
        ("an unknown parameter", "no_such_parameter", _PREDICTS, _with_param(document, batch)),
    ):
        yield Invalid(name, names, on_azure, ScoringRequest(dump(wrong), JSON_HEADERS))


def _with_param(document: dict[str, Json], batch: Batch) -> dict[str, Json]:
    return {**document, "params": {**batch.params, "no_such_parameter": 1}}
