"""Requests for a model with columns in which the table is wrong: its shape, its names, its values."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mlgates.contract.invalid import Invalid, OnAzure
from mlgates.contract.invalid_values import written, wrong_values
from mlgates.contract.requests import Format, dump, encode
from mlgates.contract.signature import Batch, Column, ModelContract
from mlgates.endpoint_client import Json, ScoringRequest

_REFUSES, _FAILS, _PREDICTS = OnAzure.REFUSES, OnAzure.FAILS, OnAzure.PREDICTS


def of_shape(contract: ModelContract, batch: Batch) -> Iterator[Invalid]:
    """Yield tables whose rows are too short or too long, or whose parts do not fit each other."""
    first, last = batch.rows[0], contract.names[-1]
    if len(first) > 1 and contract.columns[-1].required:
        yield Invalid("a short row", last, _FAILS, _with_first(contract, batch, [*first[:-1]]))
    yield Invalid("a long row", "data", _FAILS, _with_first(contract, batch, [*first, first[-1]]))
    yield Invalid("a row that is no list", "data", _FAILS, _with_first(contract, batch, first[0]))
    if not contract.named:
        return
    table = _split(batch)
    rows = len(batch.rows)
    yield Invalid("lists and objects mixed", "input_data", _FAILS, _data([{}, list(first)]))
    yield Invalid("columns without data", "data", _FAILS, _data({"columns": table["columns"]}))
    yield Invalid("data without columns", "columns", _FAILS, _data({"data": table["data"]}))
    yield Invalid("columns and no rows", "input_data", _FAILS, _data({**table, "index": [], "data": []}))
    yield Invalid("an unknown part", "dtypes", _FAILS, _data({**table, "dtypes": {}}))
    # pandas repeats a single row for each entry of the index: more predictions than rows.
    longer = list(range(rows + 1))
    yield Invalid("an index longer than the data", "index", _index_longer(rows), _data({**table, "index": longer}))


def of_names(batch: Batch, column: Column) -> Iterator[Invalid]:
    """Yield tables in which the name of `column` is absent, doubled, misspelt, or joined by one that nobody knows."""
    name, table = column.name, _split(batch)
    if column.required:
        without = Batch(tuple(n for n in batch.names if n != name), _without(batch, name), batch.params)
        yield Invalid(f"{name} missing", name, _FAILS, encode(without, Format.SPLIT))
    doubled = {**table, "columns": [*table["columns"], name], "data": [[*row, row[0]] for row in table["data"]]}
    yield Invalid(f"{name} twice", name, _PREDICTS, _data(doubled))
    misspelt = [f"{n}_" if n == name else n for n in table["columns"]]
    yield Invalid(f"{name} misspelt", f"{name}_", _FAILS, _data({**table, "columns": misspelt}))
    extra = {**table, "columns": [*table["columns"], f"{name}_too"], "data": [[*row, 1] for row in table["data"]]}
    yield Invalid(f"an extra column beside {name}", f"{name}_too", _PREDICTS, _data(extra))


def of_values(contract: ModelContract, batch: Batch, column: Column) -> Iterator[Invalid]:
    """Yield tables in which the first value of `column` cannot be one of its type."""
    form = Format.SPLIT if contract.named else Format.POSITIONAL
    place = batch.names.index(column.name)
    for what, on_azure, wrong in wrong_values(column.kind, nullable=column.nullable):
        first = (*batch.rows[0][:place], wrong, *batch.rows[0][place + 1 :])
        request = written(encode(replace(batch, rows=(first, *batch.rows[1:])), form))
        yield Invalid(f"{column.name}: {what}", column.name, on_azure, request)


def _with_first(contract: ModelContract, batch: Batch, first: Any) -> ScoringRequest:
    """Return a request with another first row, in the format that a deployment takes."""
    rows = [first, *(list(row) for row in batch.rows[1:])]
    return _data({**_split(batch), "data": rows} if contract.named else rows)


def _split(batch: Batch) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(encode(batch, Format.SPLIT).body)["input_data"]
    return table


def _data(data: Any) -> ScoringRequest:
    return ScoringRequest(dump({"input_data": data}))


def _without(batch: Batch, name: str) -> tuple[tuple[Json, ...], ...]:
    place = batch.names.index(name)
    return tuple((*row[:place], *row[place + 1 :]) for row in batch.rows)


def _index_longer(rows: int) -> OnAzure:
    return _PREDICTS if rows == 1 else _FAILS
