"""Tensors in `input_data`: one without a name, or several by theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from amlocal.serving.refusal import Refusal


@dataclass(frozen=True)
class Tensor:
    """An input of the model; -1 in `shape` is any size, `name` is None for the only, unnamed one."""

    name: "str | None"
    dtype: "np.dtype[Any]"
    shape: "tuple[int, ...]"

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"Tensor '{self.name}'" if self.name else "'input_data'"


def read_tensors(data: Any, signature: Sequence[Tensor]) -> "np.ndarray | dict[str, np.ndarray]":
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
    try:
        raw = np.array(data)
    except (ValueError, OverflowError) as error:
        raise Refusal(f"{tensor.label} is ragged: its parts are not of one shape.") from error
    fits = len(raw.shape) == len(tensor.shape) and all(
        want in (-1, size) for want, size in zip(tensor.shape, raw.shape, strict=True)
    )
    if not fits:
        raise Refusal(f"{tensor.label} has the shape {raw.shape}, not {tensor.shape} (-1: any size).")
    if raw.size == 0:
        raise Refusal(f"{tensor.label} is empty.")
    return _cast(raw, tensor)


def _cast(raw: np.ndarray, tensor: Tensor) -> np.ndarray:
    wanted = tensor.dtype.kind
    same = (
        raw.dtype.kind == wanted
        or (raw.dtype.kind in "iuf" and wanted in "iuf")
        or (raw.dtype.kind, wanted) == ("U", "O")
    )
    if same:
        with np.errstate(over="ignore", invalid="ignore"):
            cast = raw.astype(tensor.dtype)
        lossless = wanted not in "iu" or bool((cast == raw).all())
        if lossless and (wanted != "f" or bool(np.isfinite(cast).all())):
            return cast
    raise Refusal(f"{tensor.label} holds values that are not {tensor.dtype} (finite, and none cut off).")
