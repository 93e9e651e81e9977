from pathlib import Path

import pytest

from mlgates.contract.errors import UnusableSignature
from mlgates.contract.reading import read_contract
from mlgates.contract.signature import Column, Kind, Limits, Param, Tensor
from mlgates.core.errors import AssetMissing
from tests.unit.mlgates.contract.models import write_model

NAMED = [{"type": "double", "name": "a", "required": True}, {"type": "string", "name": "b", "required": False}]
UNNAMED = [{"type": "long", "required": True}, {"type": "double", "required": True}]
IMAGE = {"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}}
PAIR = [{**IMAGE, "name": "l"}, {**IMAGE, "name": "r"}]


def test_columns_keep_their_names_types_and_whether_they_are_required(tmp_path: Path) -> None:
    contract = read_contract(write_model(tmp_path, {"inputs": NAMED}))
    assert contract.inputs == (Column("a", Kind.DOUBLE), Column("b", Kind.STRING, required=False))


def test_columns_without_names_are_told_apart_by_place(tmp_path: Path) -> None:
    contract = read_contract(write_model(tmp_path, {"inputs": UNNAMED}))
    assert (contract.names, contract.named) == (("0", "1"), False)


def test_a_tensor_keeps_shape_and_dtype(tmp_path: Path) -> None:
    contract = read_contract(write_model(tmp_path, {"inputs": [{**IMAGE, "name": "x"}], "outputs": [IMAGE]}))
    assert contract.inputs == (Tensor("x", Kind.DOUBLE, (-1, 2), "float32"),)
    assert contract.outputs == (Tensor("", Kind.DOUBLE, (-1, 2), "float32"),)


def test_parameters_keep_their_defaults(tmp_path: Path) -> None:
    params = [
        {"name": "n", "type": "long", "default": 3, "shape": None},
        {"name": "stops", "type": "string", "default": ["."], "shape": [-1]},
    ]
    contract = read_contract(write_model(tmp_path, {"inputs": NAMED, "params": params}))
    assert contract.params == (Param("n", Kind.LONG, 3), Param("stops", Kind.STRING, ["."], listed=True))


def test_ranges_go_to_the_columns_of_their_names(tmp_path: Path) -> None:
    contract = read_contract(write_model(tmp_path, {"inputs": NAMED}), {"a": Limits(0, 1), "unknown": Limits(5, 6)})
    assert [column.limits for column in contract.columns] == [Limits(0, 1), Limits()]


@pytest.mark.parametrize(
    ("inputs", "example", "rows"),
    [
        (NAMED, {"columns": ["b", "a"], "data": [["x", 1.0], ["y", 2.0]]}, ((1.0, "x"), (2.0, "y"))),
        (UNNAMED, {"data": [[1, 2.0]]}, ((1, 2.0),)),
        ([IMAGE], {"inputs": [[1.0, 2.0], [3.0, 4.0]]}, (([1.0, 2.0],), ([3.0, 4.0],))),
        (PAIR, {"inputs": {"l": [[1, 2]], "r": [[3, 4]]}}, (([1, 2], [3, 4]),)),
        (NAMED, "free text", ()),
        (NAMED, {"columns": ["a"], "data": [[1.0]]}, ()),
    ],
)  # fmt: skip
def test_the_example_becomes_rows_in_the_order_of_the_signature(
    tmp_path: Path, inputs: list[dict[str, object]], example: object, rows: tuple[object, ...]
) -> None:
    assert read_contract(write_model(tmp_path, {"inputs": inputs}, example)).example == rows


def test_a_model_without_example_has_no_rows(tmp_path: Path) -> None:
    assert read_contract(write_model(tmp_path, {"inputs": NAMED})).example == ()


def test_a_folder_without_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(AssetMissing, match="is no MLflow model"):
        read_contract(tmp_path)


@pytest.mark.parametrize("signature", [None, {"outputs": [IMAGE]}])
def test_a_model_without_signature_is_told_how_to_get_one(tmp_path: Path, signature: dict[str, object] | None) -> None:
    with pytest.raises(UnusableSignature, match="infer_signature"):
        read_contract(write_model(tmp_path, signature))


def test_a_type_that_no_flat_request_carries_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableSignature, match="'a' is of type 'array'"):
        read_contract(write_model(tmp_path, {"inputs": [{"type": "array", "name": "a", "items": {"type": "long"}}]}))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"just text", "a mapping is wanted"),
        (b"a: [1", "not YAML"),
        (b"\xff\xfe\x00", "not YAML"),
        (b"signature: {inputs: 'not JSON'}", "inputs are not JSON"),
    ],
)
def test_a_broken_model_file_is_told(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "MLmodel").write_bytes(content)
    with pytest.raises(UnusableSignature, match=why):
        read_contract(tmp_path)
