"""Tensors in `input_data`: one without a name, or several by theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from amlocal.serving.refusal import Refusal

_TYPES: dict[str, set[type]] = {"b": {bool}, "i": {int, float}, "u": {int, float}, "f": {int, float}}
"""By the kind of a NumPy type, what JSON must hold; by exact type, since to Python True is an int. Else text."""


@dataclass(frozen=True)
class Tensor:
    """An input of the model; -1 in `shape` is any size, `name` is None for the only, unnamed one."""

    name: str | None
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"Tensor '{self.name}'" if self.name else "'input_data'"


def read_tensors(data: Any, signature: Sequence[Tensor]) -> np.ndarray | dict[str, np.ndarray]:
    """Return the tensor, or the tensors by name. Raises `Refusal` naming the one that does not fit."""
    if len(signature) == 1 and signature[0].name is None:
        return _read(data, signature[0])
    if not isinstance(data, dict):
        raise Refusal(f"'input_data' must hold tensors by name: {', '.join(str(one.name) for one in signature)}.")
    unknown = [name for name in data if name not in {one.name for one in signature}]
    if unknown:
        raise Refusal(f"Tensor '{unknown[0]}' is not one of the model's.")
    missing = [one.name for one in signature if one.name not in data]
    if missing:
        raise Refusal(f"Tensor '{missing[0]}' is missing; the model needs it.")
    return {str(one.name): _read(data[one.name], one) for one in signature}


def _read(data: Any, tensor: Tensor) -> np.ndarray:
    # As JSON has them: NumPy would make 1.0 of true, and cut long integers. What is ragged gets a shape of fewer sizes.
    raw = np.array(data, dtype=object)
    fits = len(raw.shape) == len(tensor.shape) and all(
        want in (-1, size)
        for want, size in zip(tensor.shape, raw.shape)  # noqa: B905 - strict is of Python 3.10
    )
    if not fits:
        raise Refusal(f"{tensor.label} has the shape {raw.shape}, not {tensor.shape} (-1: any size).")
    if not len(raw):
        raise Refusal(f"{tensor.label} is empty.")
    try:
        return _cast(raw, tensor.dtype)
    except (ValueError, OverflowError) as error:
        message = f"{tensor.label} holds values that are not {tensor.dtype} (finite, none cut off or out of range)."
        raise Refusal(message) from error


def _cast(raw: np.ndarray, wanted: np.dtype[Any]) -> np.ndarray:
    """Return the values in the type of the signature. Raises `ValueError` or `OverflowError` when one is none of it."""
    if not set(map(type, raw.flat)) <= _TYPES.get(wanted.kind, {str}):
        raise ValueError
    if wanted.kind in "iu" and not all(type(value) is int or value.is_integer() for value in raw.flat):
        raise ValueError
    with np.errstate(over="ignore"):  # to infinity, which is refused
        cast = raw.astype(wanted)
    if wanted.kind == "f" and not np.isfinite(cast).all():
        raise ValueError
    return cast
