"""Contracts to draw, and MLmodel folders that hold them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from hypothesis import settings
from hypothesis import strategies as st

from mlgates.contract.signature import Batch, Column, DataType, ModelContract, Param, Tensor, ValueRange
from mlgates.endpoint_client import Json

few = settings(deadline=None)
"""The suite asks the thousands; here each property is asked of many contracts."""

NAMES = ["age", "bmi", "Größe", "a b", "columns", "data"]


def column_contract(*kinds: DataType, named: bool = True) -> ModelContract:
    """A contract with a column a type, named x0, x1, ... or by place."""
    columns = tuple(Column(f"x{place}" if named else str(place), data_type) for place, data_type in enumerate(kinds))
    return ModelContract(inputs=columns, outputs=(Tensor("", DataType.LONG, (-1,), "int64"),), named=named)


def tensor_contract(*names: str) -> ModelContract:
    """A contract with a 2 x 2 image a name, and one unnamed without names."""
    tensors = tuple(Tensor(name, DataType.DOUBLE, (-1, 2, 2), "float64") for name in names or ("",))
    return ModelContract(inputs=tensors, outputs=(Tensor("", DataType.DOUBLE, (-1, 2), "float64"),), named=bool(names))


ALL_KINDS = column_contract(*DataType)
UNNAMED = column_contract(DataType.DOUBLE, DataType.LONG, named=False)
IMAGES = tensor_contract()
PAIR = tensor_contract("left", "right")
IMAGES32 = ModelContract((Tensor("", DataType.DOUBLE, (-1, 1, 1), "float32"),), named=False)
PIXELS = ModelContract((Tensor("", DataType.LONG, (-1, -1), "uint8"),), named=False)
WORDS = ModelContract((Tensor("", DataType.STRING, (-1,), "object"),), named=False)
STEPS = ModelContract((Tensor("", DataType.LONG, (-1,), "int16"),), named=False)
WITH_PARAMS = replace(
    column_contract(DataType.DOUBLE),
    params=(Param("temperature", DataType.DOUBLE, 0.5), Param("stops", DataType.STRING, [], listed=True)),
)
OPTIONAL = ModelContract((Column("a", DataType.DOUBLE), Column("b", DataType.STRING, required=False)))
ONE_ROW: dict[str, tuple[ModelContract, tuple[Json, ...]]] = {
    "all kinds": (ALL_KINDS, (True, 1, 2, 1.5, 2.5, "text", "AAAA", "2024-02-29T12:00:00")),
    "unnamed": (UNNAMED, (1.5, 2)),
    "images": (IMAGES, ([[1.0, 2.0], [3.0, 4.0]],)),
    "pixels": (PIXELS, ([0, 255],)),
    "small floats": (IMAGES32, ([[1.0]],)),
    "words": (WORDS, ("text",)),
    "steps": (STEPS, (-3,)),
    "a pair of tensors": (PAIR, ([[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]])),
    "with parameters": (WITH_PARAMS, (1.0,)),
    "with an optional column": (OPTIONAL, (1.0, "text")),
}
CONTRACTS = {name: contract for name, (contract, _) in ONE_ROW.items()}
BATCHES = {name: Batch(contract.names, (row, row)) for name, (contract, row) in ONE_ROW.items()}

columns = st.builds(Column, st.sampled_from(NAMES), st.sampled_from(DataType), st.booleans(), st.just(ValueRange()))
column_contracts = st.lists(columns, min_size=1, max_size=4, unique_by=lambda column: column.name).map(
    lambda drawn: ModelContract(tuple(drawn), (Tensor("", DataType.LONG, (-1,), "int64"),))
)


def write_model(folder: Path, signature: dict[str, Any] | None, example: object = None, **info: Any) -> Path:
    """Write `MLmodel` as MLflow does, each part of the signature as JSON in YAML; nothing that could predict."""
    model: dict[str, Any] = {"flavors": {}}
    if signature is not None:
        model["signature"] = {part: json.dumps(specs) for part, specs in signature.items()}
    if example is not None:
        model["saved_input_example_info"] = {"artifact_path": "input_example.json", **info}
        (folder / "input_example.json").write_text(json.dumps(example))
    (folder / "MLmodel").write_text(yaml.safe_dump(model))
    return folder
