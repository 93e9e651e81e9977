"""Requests for a model with tensors in which an array is absent, of another shape or of another type."""

from collections.abc import Iterator

import numpy as np

from mlgates.contract.invalid import Invalid, OnAzure
from mlgates.contract.invalid_values import written, wrong_values
from mlgates.contract.requests import dump
from mlgates.contract.signature import Batch, ModelContract, Tensor
from mlgates.endpoint_client import Json, ScoringRequest


def of(contract: ModelContract, batch: Batch, tensor: Tensor) -> Iterator[Invalid]:
    """Yield the requests in which `tensor` is what is wrong."""
    name = tensor.name or "input_data"
    good = [row[contract.names.index(tensor.name)] for row in batch.rows]
    if tensor.name:
        arrays = {each: [row[place] for row in batch.rows] for place, each in enumerate(batch.names) if each != name}
        yield Invalid(f"{name} missing", name, OnAzure.FAILS, ScoringRequest(dump({"input_data": arrays})))
        yield Invalid(f"{name} misspelt", name, OnAzure.FAILS, _with(contract, batch, f"{name}_", good))
        yield Invalid(
            f"an extra array beside {name}", f"{name}_too", OnAzure.FAILS, _with(contract, batch, f"{name}_too", good)
        )
    spoilt: list[tuple[str, OnAzure, Json]] = [
        ("no array", OnAzure.FAILS, 3),
        ("no rows", OnAzure.FAILS, []),
        ("a dimension too many", OnAzure.FAILS, [[row] for row in good]),
    ]
    if tensor.row_shape == (-1,) and isinstance(good[0], list) and len(good) > 1:
        spoilt.append(("rows of different lengths", OnAzure.FAILS, [[*good[0], *good[0]], *good[1:]]))
    spoilt += [(what, on_azure, [*good[:-1], _ending(good[-1], wrong)]) for what, on_azure, wrong in _wrong(tensor)]
    for what, on_azure, wrong in spoilt:
        # A model with several arrays refuses an empty one for its length, and then names them all.
        yield Invalid(f"{name}: {what}", name, on_azure, written(_with(contract, batch, tensor.name, wrong)))


def _wrong(tensor: Tensor) -> Iterator[tuple[str, OnAzure, Json]]:
    yield from wrong_values(tensor.kind)
    kind = np.dtype(tensor.dtype)
    if kind.kind in "iu" and kind.itemsize < 8:
        yield "a number of more bits", OnAzure.PREDICTS, int(np.iinfo(kind).max) + 1
    elif kind.kind == "f" and kind.itemsize < 8:
        yield "a number of more bits", OnAzure.PREDICTS, float(np.finfo(kind).max) * 10


def _ending(row: Json, wrong: Json) -> Json:
    """Return a row whose last number is another value."""
    return [*row[:-1], _ending(row[-1], wrong)] if isinstance(row, list) else wrong


def _with(contract: ModelContract, batch: Batch, name: str, array: Json) -> ScoringRequest:
    if not contract.named:
        return ScoringRequest(dump({"input_data": array}))
    arrays: dict[str, Json] = {each: [row[place] for row in batch.rows] for place, each in enumerate(batch.names)}
    return ScoringRequest(dump({"input_data": {**arrays, name: array}}))
