"""Requests for a model with tensors in which an array is absent, of another shape or of another type."""

from collections.abc import Iterator

from mlgates.contract.invalid import Invalid, OnAzure
from mlgates.contract.requests import dump
from mlgates.contract.signature import Batch, ModelContract, Tensor
from mlgates.scoring.answer import Json
from mlgates.scoring.request import Request


def of(contract: ModelContract, batch: Batch, tensor: Tensor) -> Iterator[Invalid]:
    """Yield the requests in which `tensor` is what is wrong."""
    name = tensor.name or "input_data"
    good = [row[contract.names.index(tensor.name)] for row in batch.rows]
    if tensor.name:
        arrays = {each: [row[place] for row in batch.rows] for place, each in enumerate(batch.names) if each != name}
        yield Invalid(f"{name} missing", name, OnAzure.FAILS, Request(dump({"input_data": arrays})))
        yield Invalid(f"{name} misspelt", name, OnAzure.FAILS, _with(contract, batch, f"{name}_", good))
    spoilt: tuple[tuple[str, OnAzure, Json], ...] = (
        ("no array", OnAzure.FAILS, 3),
        ("no rows", OnAzure.FAILS, []),
        ("a dimension too many", OnAzure.FAILS, [[row] for row in good]),
        ("null in it", OnAzure.FAILS, [*good[:-1], None]),
        ("an object in it", OnAzure.FAILS, [*good[:-1], {}]),
    )
    for what, on_azure, wrong in spoilt:
        # A model with several arrays refuses an empty one for its length, and then names them all.
        yield Invalid(f"{name}: {what}", name, on_azure, _with(contract, batch, tensor.name, wrong))


def _with(contract: ModelContract, batch: Batch, name: str, array: Json) -> Request:
    if not contract.named:
        return Request(dump({"input_data": array}))
    arrays: dict[str, Json] = {each: [row[place] for row in batch.rows] for place, each in enumerate(batch.names)}
    return Request(dump({"input_data": {**arrays, name: array}}))
