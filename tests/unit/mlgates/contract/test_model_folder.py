"""The contract of a model folder, and the ranges that expectation suites know."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from mlgates.contract.model_folder import UnusableSignature, read_contract, read_ranges
from mlgates.contract.signature import Column, DataType, Param, Tensor, ValueRange
from mlgates.contract.strategies import values
from mlgates.core.errors import AssetMissing, ConfigurationError
from tests.unit.mlgates.contract.models import few, write_model

NAMED = [{"type": "double", "name": "a", "required": True}, {"type": "string", "name": "b", "required": False}]
UNNAMED = [{"type": "long", "required": True}, {"type": "double", "required": True}]
IMAGE = {"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}}
PAIR = [{**IMAGE, "name": "l"}, {**IMAGE, "name": "r"}]


BETWEEN = "expect_column_values_to_be_between"


def test_columns_keep_their_names_types_and_whether_they_are_required(tmp_path: Path) -> None:
    contract = read_contract(write_model(tmp_path, {"inputs": NAMED}))
    assert contract.inputs == (Column("a", DataType.DOUBLE), Column("b", DataType.STRING, required=False))


def test_a_column_that_does_not_say_so_is_required(tmp_path: Path) -> None:
    contract = read_contract(write_model(tmp_path, {"inputs": [{"type": "double", "name": "a"}]}))
    assert contract.inputs == (Column("a", DataType.DOUBLE, required=True),)


def test_columns_without_names_are_distinguished_by_place(tmp_path: Path) -> None:
    contract = read_contract(write_model(tmp_path, {"inputs": UNNAMED}))
    assert (contract.names, contract.named) == (("0", "1"), False)


def test_a_tensor_keeps_shape_and_dtype(tmp_path: Path) -> None:
    contract = read_contract(write_model(tmp_path, {"inputs": [{**IMAGE, "name": "x"}], "outputs": [IMAGE]}))
    assert contract.inputs == (Tensor("x", DataType.DOUBLE, (-1, 2), "float32"),)
    assert contract.outputs == (Tensor("", DataType.DOUBLE, (-1, 2), "float32"),)


def test_parameters_keep_their_defaults(tmp_path: Path) -> None:
    params = [
        {"name": "n", "type": "long", "default": 3, "shape": None},
        {"name": "stops", "type": "string", "default": ["."], "shape": [-1]},
    ]
    contract = read_contract(write_model(tmp_path, {"inputs": NAMED, "params": params}))
    assert contract.params == (Param("n", DataType.LONG, 3), Param("stops", DataType.STRING, ["."], listed=True))


def test_ranges_go_to_the_columns_of_their_names(tmp_path: Path) -> None:
    contract = read_contract(
        write_model(tmp_path, {"inputs": NAMED}), {"a": ValueRange(0, 1), "unknown": ValueRange(5, 6)}
    )
    assert [column.limits for column in contract.columns] == [ValueRange(0, 1), ValueRange()]


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


def test_a_folder_without_a_model_is_reported(tmp_path: Path) -> None:
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
def test_a_broken_model_file_is_reported(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "MLmodel").write_bytes(content)
    with pytest.raises(UnusableSignature, match=why):
        read_contract(tmp_path)


def suite(file: Path, *expectations: tuple[str, dict[str, Any]]) -> Path:
    file.write_text(json.dumps({"name": "s", "expectations": [{"type": t, "kwargs": k} for t, k in expectations]}))
    return file


def test_a_range_is_learned(tmp_path: Path) -> None:
    file = suite(tmp_path / "s.json", (BETWEEN, {"column": "a", "min_value": 0, "max_value": 9}))
    assert read_ranges([file]) == {"a": ValueRange(0, 9)}


def test_a_second_suite_narrows_the_first(tmp_path: Path) -> None:
    one = suite(tmp_path / "1.json", (BETWEEN, {"column": "a", "min_value": 0, "max_value": 9}))
    two = suite(tmp_path / "2.json", (BETWEEN, {"column": "a", "min_value": 2}))
    assert read_ranges([one, two]) == read_ranges([two, one]) == {"a": ValueRange(2, 9)}


def test_whole_numbers_and_choices_are_learned(tmp_path: Path) -> None:
    file = suite(
        tmp_path / "s.json",
        ("expect_column_values_to_be_of_type", {"column": "a", "type_": "int64"}),
        ("expect_column_values_to_be_in_set", {"column": "b", "value_set": [0, 1]}),
    )
    assert read_ranges([file]) == {"a": ValueRange(whole=True), "b": ValueRange(values=(0, 1))}


@pytest.mark.parametrize(
    ("expectation", "arguments"),
    [
        (BETWEEN, {"column": "a", "max_value": 9, "mostly": 0.9}),
        ("expect_column_mean_to_be_between", {"column": "a", "max_value": 9}),
        ("expect_column_values_to_be_of_type", {"column": "a", "type_": "float64"}),
    ],
)
def test_what_holds_for_some_rows_only_limits_nothing(
    tmp_path: Path, expectation: str, arguments: dict[str, Any]
) -> None:
    assert read_ranges([suite(tmp_path / "s.json", (expectation, arguments))]).get("a", ValueRange()) == ValueRange()


def test_expectations_of_the_table_limit_no_column(tmp_path: Path) -> None:
    assert read_ranges([suite(tmp_path / "s.json", ("expect_table_row_count_to_be_between", {"min_value": 1}))]) == {}


def test_a_missing_suite_is_reported(tmp_path: Path) -> None:
    with pytest.raises(AssetMissing, match="no such suite"):
        read_ranges([tmp_path / "none.json"])


@pytest.mark.parametrize(
    ("text", "why"), [("{", "not JSON"), ("[]", "a suite is"), ('{"expectations": [{}]}', "a suite is")]
)
def test_a_file_that_is_no_suite_is_reported(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "s.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=why):
        read_ranges([file])


@pytest.mark.parametrize(
    ("limits", "allowed"),
    [
        (ValueRange(values=(0, 1)), {0, 1}),
        (ValueRange(2, 4, whole=True), {2, 3, 4}),
    ],
)
def test_what_is_drawn_is_within_the_limits(limits: ValueRange, allowed: set[object]) -> None:
    @few
    @given(values(DataType.DOUBLE, limits))
    def drawn(value: object) -> None:
        assert value in allowed

    drawn()
