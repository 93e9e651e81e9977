"""Reads `input_data` for a model with tensors, named or not."""

from typing import Any

import numpy as np

from mlgates.contract.errors import RequestRefused
from mlgates.contract.scalars import json_type, problem_of
from mlgates.contract.signature import ModelContract, Tensor
from mlgates.contract.tables import Table


def read_tensors(contract: ModelContract, stated: object) -> Table:
    """Return the names of the arrays and rows with a value for each. Raises `RequestRefused` that names the array."""
    arrays = _named(contract, stated) if contract.named else {"": stated}
    columns: list[list[object]] = []
    for tensor in contract.tensors:
        field = f"'{tensor.name}'" if tensor.name else "'input_data'"
        array = arrays[tensor.name]
        if not isinstance(array, list):
            raise RequestRefused(f"{field} is {json_type(array)}, and an array of rows is required")
        for number, row in enumerate(array):
            _check(row, tensor, tensor.row_shape, f"{field}, row {number}")
        if array and np.array(array, dtype=object).ndim < len(tensor.shape):
            raise RequestRefused(f"{field} is ragged: its rows are not of one shape, and {tensor.shape} is required")
        columns.append(array)
    if len({len(column) for column in columns}) > 1:
        lengths = ", ".join(f"'{name}': {len(column)}" for name, column in zip(contract.names, columns, strict=True))
        raise RequestRefused(f"the arrays differ in their number of rows: {lengths}")
    return contract.names, tuple(zip(*columns, strict=True))


def _named(contract: ModelContract, stated: object) -> dict[str, object]:
    if not isinstance(stated, dict):
        raise RequestRefused(f"'input_data' is {json_type(stated)}, and an object with {_list(contract)} is required")
    for name in contract.names:
        if name not in stated:
            raise RequestRefused(f"input '{name}' is missing")
    for name in stated:
        if name not in contract.names:
            raise RequestRefused(f"unknown input '{name}'; the model has {_list(contract)}")
    return stated


def _list(contract: ModelContract) -> str:
    return ", ".join(contract.names)


def _check(value: object, tensor: Tensor, shape: tuple[int, ...], where: str) -> None:
    if not shape:
        if problem := problem_of(value, tensor.kind) or _problem_of_bits(value, tensor.dtype):
            raise RequestRefused(f"{where} {problem}")
        return
    if not isinstance(value, list):
        raise RequestRefused(f"{where} is {json_type(value)}, and a list is required: the shape is {tensor.shape}")
    if shape[0] not in {-1, len(value)}:
        raise RequestRefused(
            f"{where} has length {len(value)}, and {shape[0]} is required: the shape is {tensor.shape}"
        )
    for place, each in enumerate(value):
        _check(each, tensor, shape[1:], f"{where}[{place}]")


def _problem_of_bits(value: object, dtype: str) -> str | None:
    """Tell a number that its NumPy type cannot hold."""
    kind = np.dtype(dtype)
    if kind.kind not in "iuf" or not isinstance(value, int | float):
        return None
    # As Python's numbers: NumPy would compare in its own few bits.
    low, high = _range(kind)
    return None if low <= value <= high else f"is out of range: {low:g} to {high:g}"


def _range(kind: "np.dtype[Any]") -> tuple[float, float]:
    if kind.kind == "f":
        return float(np.finfo(kind).min), float(np.finfo(kind).max)
    return int(np.iinfo(kind).min), int(np.iinfo(kind).max)
