"""The contract of a model folder: its `MLmodel` and input example, and the ranges that expectation suites know.

Neither MLflow nor Great Expectations is imported, which take seconds: the files are read as they are.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from mlgates.config.project import parse_yaml
from mlgates.contract.signature import UNLIMITED, Column, DataType, Input, ModelContract, Param, Tensor, ValueRange
from mlgates.core.errors import AssetMissing, ConfigurationError
from mlgates.endpoint_client import Json

_BY_DTYPE = {
    "b": DataType.BOOLEAN,
    "i": DataType.LONG,
    "u": DataType.LONG,
    "f": DataType.DOUBLE,
    "s": DataType.STRING,
    "o": DataType.STRING,
}
"""By the first letter of NumPy's name; a tensor's exact dtype stays in `Tensor.dtype`."""


class UnusableSignature(ConfigurationError):
    """A model folder has no signature, or one that no contract can be drawn from."""


def read_contract(folder: Path, ranges: Mapping[str, ValueRange] | None = None) -> ModelContract:
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
        model = parse_yaml(file.read_text(encoding="utf-8"))
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


def _input(spec: Mapping[str, Any], index: int, ranges: Mapping[str, ValueRange]) -> Input:
    if spec["type"] == "tensor":
        inner = spec["tensor-spec"]
        return Tensor(spec.get("name") or "", _data_type_of(inner["dtype"]), tuple(inner["shape"]), inner["dtype"])
    name = str(spec.get("name") or index)
    return Column(name, _data_type(spec["type"], name), spec.get("required", True), ranges.get(name, UNLIMITED))


def _param(spec: Mapping[str, Any]) -> Param:
    listed = spec.get("shape") is not None
    return Param(spec["name"], _data_type(spec["type"], spec["name"]), spec.get("default"), listed)


def _data_type(name: str, column: str) -> DataType:
    try:
        return DataType(name)
    except ValueError as error:
        raise UnusableSignature(
            f"'{column}' is of type '{name}'; a contract is drawn from {', '.join(DataType)} and tensors"
        ) from error


def _data_type_of(dtype: str) -> DataType:
    return _BY_DTYPE.get(dtype[0], DataType.STRING)


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


def read_ranges(suites: Iterable[Path]) -> Mapping[str, ValueRange]:
    """Return what the suites say of each column; a later suite narrows an earlier one.

    Understood are `expect_column_values_to_be_between`, `..._to_be_in_set` and `..._to_be_of_type` (whole numbers);
    an expectation that holds for only a part of the rows (`mostly`) limits nothing. Raises `AssetMissing`, or
    `ConfigurationError` for a file that is no suite.
    """
    ranges: dict[str, ValueRange] = {}
    for file in suites:
        for expectation in _expectations(file):
            arguments = expectation["kwargs"]
            column = arguments.get("column")
            if column and arguments.get("mostly") in {None, 1}:
                ranges[column] = _narrowed(ranges.get(column, UNLIMITED), expectation["type"], arguments)
    return ranges


def _expectations(file: Path) -> list[dict[str, Any]]:
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise AssetMissing(f"{file}: no such suite") from error
    except ValueError as error:
        raise ConfigurationError(f"{file}: not JSON ({error})") from error
    match stored:
        case {"expectations": list(expectations)} if all("type" in e and "kwargs" in e for e in expectations):
            return expectations
    raise ConfigurationError(
        f"{file}: a suite is an object with a list of 'expectations', each with 'type' and 'kwargs'"
    )


def _narrowed(limits: ValueRange, expectation: str, arguments: Mapping[str, Any]) -> ValueRange:
    match expectation:
        case "expect_column_values_to_be_between":
            return replace(
                limits,
                minimum=_tighter(max, limits.minimum, arguments.get("min_value")),
                maximum=_tighter(min, limits.maximum, arguments.get("max_value")),
            )
        case "expect_column_values_to_be_in_set":
            return replace(limits, values=tuple(arguments["value_set"]))
        case "expect_column_values_to_be_of_type" if str(arguments.get("type_", "")).startswith("int"):
            return replace(limits, whole=True)
    return limits


def _tighter(choose: Any, old: float | None, new: float | None) -> float | None:
    known = [value for value in (old, new) if value is not None]
    return choose(known) if known else None
