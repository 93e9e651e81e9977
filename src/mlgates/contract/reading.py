"""Draws the contract from a model folder: `MLmodel` and the input example, without importing MLflow (seconds)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mlgates.contract.errors import UnusableSignature
from mlgates.contract.ranges import Ranges
from mlgates.contract.signature import UNLIMITED, Column, Input, Kind, ModelContract, Param, Tensor
from mlgates.core.errors import AssetMissing
from mlgates.endpoint_client import Json

_KIND_OF_DTYPE = {
    "b": Kind.BOOLEAN,
    "i": Kind.LONG,
    "u": Kind.LONG,
    "f": Kind.DOUBLE,
    "s": Kind.STRING,
    "o": Kind.STRING,
}
"""By the first letter of NumPy's name; a tensor's exact dtype stays in `Tensor.dtype`."""


def read_contract(folder: Path, ranges: Ranges | None = None) -> ModelContract:
    """Return the contract of the MLflow model in `folder`; `ranges` narrows what is generated for its columns.

    Raises `AssetMissing` when there is no `MLmodel`, and `UnusableSignature` when it has no signature or one with
    types that a flat request cannot carry (array, object, map).
    """
    model = _read_model(folder)
    stored = model.get("signature") or {}
    if not stored.get("inputs"):
        raise UnusableSignature(
            f"{folder}/MLmodel: the model has no signature, so nobody can say which requests it answers. "
            "Save it with one: mlflow.sklearn.save_model(..., signature=infer_signature(features, predictions))"
        )
    specs = _parts(stored, "inputs")
    named = all(spec.get("name") for spec in specs)
    inputs = tuple(_input(spec, index, ranges or {}) for index, spec in enumerate(specs))
    return ModelContract(
        inputs=inputs,
        outputs=tuple(_input(spec, index, {}) for index, spec in enumerate(_parts(stored, "outputs"))),
        params=tuple(_param(spec) for spec in _parts(stored, "params")),
        example=_example(folder, model, inputs),
        named=named,
    )


def _read_model(folder: Path) -> dict[str, Any]:
    file = folder / "MLmodel"
    try:
        model = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise AssetMissing(f"{file}: not there, so {folder} is no MLflow model") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnusableSignature(f"{file}: not YAML ({str(error).splitlines()[0]})") from error
    if not isinstance(model, dict):
        raise UnusableSignature(f"{file}: a mapping is wanted, this is a {type(model).__name__}")
    return model


def _parts(stored: Mapping[str, Any], part: str) -> list[dict[str, Any]]:
    """Return one part of a signature, which `MLmodel` keeps as JSON within YAML."""
    try:
        specs: list[dict[str, Any]] = json.loads(stored.get(part) or "[]")
    except (TypeError, ValueError) as error:
        raise UnusableSignature(
            f"the signature's {part} are not JSON ({error}): was MLmodel edited by hand?"
        ) from error
    return specs


def _input(spec: Mapping[str, Any], index: int, ranges: Ranges) -> Input:
    if spec["type"] == "tensor":
        inner = spec["tensor-spec"]
        return Tensor(spec.get("name") or "", _kind_of(inner["dtype"]), tuple(inner["shape"]), inner["dtype"])
    name = str(spec.get("name") or index)
    return Column(name, _kind(spec["type"], name), spec.get("required", True), ranges.get(name, UNLIMITED))


def _param(spec: Mapping[str, Any]) -> Param:
    listed = spec.get("shape") is not None
    return Param(spec["name"], _kind(spec["type"], spec["name"]), spec.get("default"), listed)


def _kind(name: str, column: str) -> Kind:
    try:
        return Kind(name)
    except ValueError as error:
        raise UnusableSignature(
            f"'{column}' is of type '{name}'; a contract is drawn from {', '.join(Kind)} and tensors"
        ) from error


def _kind_of(dtype: str) -> Kind:
    return _KIND_OF_DTYPE.get(dtype[0], Kind.STRING)


def _example(folder: Path, model: Mapping[str, Any], inputs: tuple[Input, ...]) -> tuple[tuple[Json, ...], ...]:
    """Return the rows of the input example, in the signature's order; none when it has another form than a table."""
    info = model.get("saved_input_example_info") or {}
    file = folder / str(info.get("artifact_path", ""))
    if not file.is_file():
        return ()
    match json.loads(file.read_text(encoding="utf-8")):
        case {"columns": list(names), "data": list(rows)} if {each.name for each in inputs} <= set(map(str, names)):
            places = [list(map(str, names)).index(each.name) for each in inputs]
            return tuple(tuple(row[place] for place in places) for row in rows)
        case {"data": list(rows), **rest} if "columns" not in rest and isinstance(inputs[0], Column):
            return tuple(tuple(row) for row in rows)
        case {"inputs": list(rows)} if len(inputs) == 1:
            return tuple((row,) for row in rows)
        case {"inputs": dict(arrays)}:
            return tuple(zip(*(arrays[each.name] for each in inputs), strict=True))
    return ()
