"""The catalogue of invalid requests, made from one valid batch: what is wrong, and what Azure ML makes of each.

What `on_azure` says is measured with Microsoft's packages in `tests/contract/mlgates/test_what_azure_answers.py`, and
follows from their source: `azureml_inference_server_http/server/input_parsers.py` (400 and 415), `inference_schema`'s
`PandasParameterType` (`pandas.read_json`, then `astype`), `mlflow.models.utils._enforce_schema` (a missing column is an
error, an extra one a warning in a log).
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from mlgates.contract.scoring_requests import Format, dump, encode
from mlgates.contract.signature import Batch, Column, DataType, ModelContract, Param, Tensor
from mlgates.endpoint_client import JSON_HEADERS, Json, ScoringRequest


class OnAzure(StrEnum):
    """What Microsoft's own parts answer: the inference server, and the scoring script that Azure ML generates."""

    REFUSES = "refuses"
    """The server answers 400 or 415 and says why."""
    FAILS = "fails"
    """The scoring script raises: 500, for callers 424, whatever is wrong, and no message but to look into the logs."""
    PREDICTS = "predicts"
    """200, for a question that nobody asked."""


_REFUSES, _FAILS, _PREDICTS = OnAzure.REFUSES, OnAzure.FAILS, OnAzure.PREDICTS
_DEPTH = 100_000
"""Far beyond what a recursive parser can hold, in a body of 200 kB."""
_OVERFLOW = "1e400"
"""JSON reads it as infinity, and no Python number is written so: `_overflowing` takes the text out of its quotes."""


@dataclass(frozen=True, slots=True)
class InvalidRequest:
    """One request of the catalogue."""

    name: str
    names: str
    """What the message of the refusal must contain, in any case: a column where one is wrong."""
    on_azure: OnAzure
    """Measured for a model with named columns, all required and numbers, and an input example."""
    request: ScoringRequest


def catalogue(contract: ModelContract, batch: Batch) -> Iterator[InvalidRequest]:
    """Yield every invalid request that can be made of `batch`, a valid one with all inputs and at least one row."""
    if contract.tensors:
        form = Format.NAMED_TENSORS if contract.named else Format.TENSOR
    else:
        form = Format.SPLIT if contract.named else Format.POSITIONAL
    request = encode(batch, form)
    yield from _of_body(request, batch)
    for param in contract.params:
        yield from _of_param(request, batch, param)
    for tensor in contract.tensors:
        yield from _of_tensor(contract, batch, tensor)
    if contract.columns:
        yield from _of_shape(contract, batch)
    for column in contract.columns:
        yield from of_column(contract, batch, column)


def of_column(contract: ModelContract, batch: Batch, column: Column) -> Iterator[InvalidRequest]:
    """Yield the invalid requests in which `column` is what is wrong."""
    yield from _of_values(contract, batch, column)
    if contract.named:
        yield from _of_names(batch, column)


def _of_body(request: ScoringRequest, batch: Batch) -> Iterator[InvalidRequest]:
    """Yield the spoilt copies of `request`, a valid one that means `batch`."""
    yield from _spoilt_bytes(request)
    yield from _wrong_headers(request)
    yield from _wrong_keys(json.loads(request.body), batch)


def _of_param(request: ScoringRequest, batch: Batch, param: Param) -> Iterator[InvalidRequest]:
    """Yield copies of `request` in which the value of one parameter cannot be one of its type."""
    document = json.loads(request.body)
    values = [
        (what, on_azure, wrong)
        for what, on_azure, wrong in _wrong_values(param.type, nullable=not param.listed and param.default is None)
        if what != "a list"
    ]
    if param.listed:
        values = [(f"{what} in its list", on_azure, [wrong]) for what, on_azure, wrong in values]
        values.append(("no list", _FAILS, "text" if param.type.number else 3))
    else:
        values.append(("a list", _FAILS, [1]))
    for what, on_azure, wrong in values:
        body = dump({**document, "params": {**batch.params, param.name: wrong}})
        yield InvalidRequest(
            f"parameter {param.name}: {what}", param.name, on_azure, _overflowing(ScoringRequest(body, JSON_HEADERS))
        )


def _spoilt_bytes(request: ScoringRequest) -> Iterator[InvalidRequest]:
    body = request.body
    yield InvalidRequest("empty body", "JSON", _REFUSES, ScoringRequest(b""))
    yield InvalidRequest("not JSON", "JSON", _REFUSES, ScoringRequest(b"name=value"))
    yield InvalidRequest("cut short", "JSON", _REFUSES, ScoringRequest(body[:-1]))
    yield InvalidRequest("more after the end", "JSON", _REFUSES, ScoringRequest(body + b"{}"))
    # Python's JSON recurses in C and gives up with an error that is no parse error, so the server crashes.
    deep = b'{"input_data": ' + b"[" * _DEPTH + b"]" * _DEPTH + b"}"
    yield InvalidRequest("nested too deeply", "deep", _FAILS, ScoringRequest(deep))
    # Python's JSON finds out by itself that bytes are UTF-16; RFC 8259 has UTF-8 alone.
    yield InvalidRequest("in UTF-16", "UTF-8", _PREDICTS, ScoringRequest(body.decode().encode("utf-16")))
    yield InvalidRequest("bytes that are not UTF-8", "UTF-8", _FAILS, ScoringRequest(body[:-1] + b', "\xff\xfe": 1}'))
    yield InvalidRequest("a list at the top", "input_data", _REFUSES, ScoringRequest(b"[[1, 2]]"))
    yield InvalidRequest("null at the top", "input_data", _REFUSES, ScoringRequest(b"null"))


def _wrong_headers(request: ScoringRequest) -> Iterator[InvalidRequest]:
    for name, headers, on_azure in (
        ("plain text as content type", {"Content-Type": "text/plain"}, _REFUSES),
        ("CSV as content type", {"Content-Type": "text/csv"}, _REFUSES),
        ("no content type", {}, _REFUSES),
        ("another charset", {"Content-Type": "application/json; charset=utf-16"}, _PREDICTS),
    ):
        yield InvalidRequest(name, "Content-Type", on_azure, ScoringRequest(request.body, headers))


def _wrong_keys(document: dict[str, Json], batch: Batch) -> Iterator[InvalidRequest]:
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
        yield InvalidRequest(name, names, on_azure, ScoringRequest(dump(wrong), JSON_HEADERS))


def _with_param(document: dict[str, Json], batch: Batch) -> dict[str, Json]:
    return {**document, "params": {**batch.params, "no_such_parameter": 1}}


def _of_shape(contract: ModelContract, batch: Batch) -> Iterator[InvalidRequest]:
    """Yield tables whose rows are too short or too long, or whose parts do not fit each other."""
    first, last = batch.rows[0], contract.names[-1]
    if len(first) > 1 and contract.columns[-1].required:
        yield InvalidRequest("a short row", last, _FAILS, _with_first_row(contract, batch, [*first[:-1]]))
    yield InvalidRequest("a long row", "data", _FAILS, _with_first_row(contract, batch, [*first, first[-1]]))
    yield InvalidRequest("a row that is no list", "data", _FAILS, _with_first_row(contract, batch, first[0]))
    if not contract.named:
        return
    table = _split_table(batch)
    rows = len(batch.rows)
    yield InvalidRequest("lists and objects mixed", "input_data", _FAILS, _asked([{}, list(first)]))
    yield InvalidRequest("columns without data", "data", _FAILS, _asked({"columns": table["columns"]}))
    yield InvalidRequest("data without columns", "columns", _FAILS, _asked({"data": table["data"]}))
    yield InvalidRequest("columns and no rows", "input_data", _FAILS, _asked({**table, "index": [], "data": []}))
    yield InvalidRequest("an unknown part", "dtypes", _FAILS, _asked({**table, "dtypes": {}}))
    # pandas repeats a single row for each entry of the index: more predictions than rows.
    longer = list(range(rows + 1))
    yield InvalidRequest(
        "an index longer than the data", "index", _index_longer(rows), _asked({**table, "index": longer})
    )


def _of_names(batch: Batch, column: Column) -> Iterator[InvalidRequest]:
    """Yield tables in which the name of `column` is absent, doubled, misspelt, or joined by one that nobody knows."""
    name, table = column.name, _split_table(batch)
    if column.required:
        without = Batch(tuple(n for n in batch.names if n != name), _without(batch, name), batch.params)
        yield InvalidRequest(f"{name} missing", name, _FAILS, encode(without, Format.SPLIT))
    doubled = {**table, "columns": [*table["columns"], name], "data": [[*row, row[0]] for row in table["data"]]}
    yield InvalidRequest(f"{name} twice", name, _PREDICTS, _asked(doubled))
    misspelt = [f"{n}_" if n == name else n for n in table["columns"]]
    yield InvalidRequest(f"{name} misspelt", f"{name}_", _FAILS, _asked({**table, "columns": misspelt}))
    extra = {**table, "columns": [*table["columns"], f"{name}_too"], "data": [[*row, 1] for row in table["data"]]}
    yield InvalidRequest(f"an extra column beside {name}", f"{name}_too", _PREDICTS, _asked(extra))


def _of_values(contract: ModelContract, batch: Batch, column: Column) -> Iterator[InvalidRequest]:
    """Yield tables in which the first value of `column` cannot be one of its type."""
    form = Format.SPLIT if contract.named else Format.POSITIONAL
    place = batch.names.index(column.name)
    for what, on_azure, wrong in _wrong_values(column.type, nullable=column.nullable):
        first = (*batch.rows[0][:place], wrong, *batch.rows[0][place + 1 :])
        request = _overflowing(encode(replace(batch, rows=(first, *batch.rows[1:])), form))
        yield InvalidRequest(f"{column.name}: {what}", column.name, on_azure, request)


def _with_first_row(contract: ModelContract, batch: Batch, first: Any) -> ScoringRequest:
    """Return a request with another first row, in the format that a deployment takes."""
    rows = [first, *(list(row) for row in batch.rows[1:])]
    return _asked({**_split_table(batch), "data": rows} if contract.named else rows)


def _split_table(batch: Batch) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(encode(batch, Format.SPLIT).body)["input_data"]
    return table


def _asked(data: Any) -> ScoringRequest:
    return ScoringRequest(dump({"input_data": data}))


def _without(batch: Batch, name: str) -> tuple[tuple[Json, ...], ...]:
    place = batch.names.index(name)
    return tuple((*row[:place], *row[place + 1 :]) for row in batch.rows)


def _index_longer(rows: int) -> OnAzure:
    return _PREDICTS if rows == 1 else _FAILS


def _of_tensor(contract: ModelContract, batch: Batch, tensor: Tensor) -> Iterator[InvalidRequest]:
    """Yield the requests in which `tensor` is what is wrong."""
    name = tensor.name or "input_data"
    good = [row[contract.names.index(tensor.name)] for row in batch.rows]
    if tensor.name:
        arrays = {each: [row[place] for row in batch.rows] for place, each in enumerate(batch.names) if each != name}
        yield InvalidRequest(f"{name} missing", name, _FAILS, ScoringRequest(dump({"input_data": arrays})))
        yield InvalidRequest(f"{name} misspelt", name, _FAILS, _with_array(contract, batch, f"{name}_", good))
        yield InvalidRequest(
            f"an extra array beside {name}", f"{name}_too", _FAILS, _with_array(contract, batch, f"{name}_too", good)
        )
    spoilt: list[tuple[str, OnAzure, Json]] = [
        ("no array", _FAILS, 3),
        ("no rows", _FAILS, []),
        ("a dimension too many", _FAILS, [[row] for row in good]),
    ]
    if tensor.row_shape == (-1,) and isinstance(good[0], list) and len(good) > 1:
        spoilt.append(("rows of different lengths", _FAILS, [[*good[0], *good[0]], *good[1:]]))
    spoilt += [
        (what, on_azure, [*good[:-1], _ending_in(good[-1], wrong)]) for what, on_azure, wrong in _wrong_numbers(tensor)
    ]
    for what, on_azure, wrong in spoilt:
        # A model with several arrays refuses an empty one for its length, and then names them all.
        yield InvalidRequest(
            f"{name}: {what}", name, on_azure, _overflowing(_with_array(contract, batch, tensor.name, wrong))
        )


def _wrong_numbers(tensor: Tensor) -> Iterator[tuple[str, OnAzure, Json]]:
    yield from _wrong_values(tensor.type)
    numpy_type = np.dtype(tensor.dtype)
    if numpy_type.kind in "iu" and numpy_type.itemsize < 8:
        yield "a number of more bits", _PREDICTS, int(np.iinfo(numpy_type).max) + 1
    elif numpy_type.kind == "f" and numpy_type.itemsize < 8:
        yield "a number of more bits", _PREDICTS, float(np.finfo(numpy_type).max) * 10


def _ending_in(row: Json, wrong: Json) -> Json:
    """Return a row whose last number is another value."""
    return [*row[:-1], _ending_in(row[-1], wrong)] if isinstance(row, list) else wrong


def _with_array(contract: ModelContract, batch: Batch, name: str, array: Json) -> ScoringRequest:
    if not contract.named:
        return ScoringRequest(dump({"input_data": array}))
    arrays: dict[str, Json] = {each: [row[place] for row in batch.rows] for place, each in enumerate(batch.names)}
    return ScoringRequest(dump({"input_data": {**arrays, name: array}}))


def _overflowing(request: ScoringRequest) -> ScoringRequest:
    """Return the request with the number beyond doubles, where it has one, as a number."""
    return replace(request, body=request.body.replace(f'"{_OVERFLOW}"'.encode(), _OVERFLOW.encode()))


def _wrong_values(data_type: DataType, *, nullable: bool = False) -> Iterator[tuple[str, OnAzure, Json]]:
    """Yield what each is, what Azure makes of it in a column, and the value."""
    if not nullable:
        yield "null", _FAILS, None
    yield "a list", _FAILS, [1]
    yield "an object", _FAILS, {"value": 1}
    if not data_type.number:
        yield "a number", _PREDICTS, 3
        if data_type is not DataType.BOOLEAN:
            yield "a boolean", _PREDICTS, True
        yield from _wrong_texts(data_type)
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
    if data_type.whole:
        yield "a fraction", _PREDICTS, 2.7


def _wrong_texts(data_type: DataType) -> Iterator[tuple[str, OnAzure, Json]]:
    match data_type:
        case DataType.BOOLEAN:
            yield "true in quotes", _PREDICTS, "true"
        case DataType.BINARY:
            yield "no base64", _PREDICTS, "a"
        case DataType.DATETIME:
            yield "no date", _FAILS, "soon"
            # pandas takes the word for the moment in which it reads it.
            yield "the word now", _PREDICTS, "now"
            yield "a time zone", _FAILS, "2024-02-29T12:00:00+02:00"
            # In 64 bits of nanoseconds this is in 1830.
            yield "the year 3000", _FAILS, "3000-01-01"
