import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.online.swagger import describe_model

INPUTS = [
    {"name": "a", "type": "double"},
    {"name": "b", "type": "string", "required": False},
    {"name": "c", "type": "x"},
]

TENSOR = {"type": "tensor", "tensor-spec": {}}


def request_schema(folder: Path, signature: str, *, lenient: bool = False) -> Any:
    (folder / "MLmodel").write_text(signature)
    document = json.loads(describe_model(folder, lenient=lenient))
    assert document["security"] == [{"Bearer": []}]
    return document["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]["schema"]


@pytest.mark.parametrize(
    ("data", "fits"),
    [
        ([{"a": 1.0, "b": "x", "c": []}], True),
        ([{"a": 1.0, "c": 1}], True),
        ([{"b": "x"}], False),
        ([{"a": "text", "c": 1}], False),
        ([[1.0, "x", 1]], True),
        ({"columns": ["a", "c"], "index": [0], "data": [[1.0, 2]]}, True),
        ({"columns": ["a", "c"]}, False),
        ("text", False),
    ],
)
def test_a_signature_of_columns_says_what_may_be_sent(tmp_path: Path, data: Any, fits: bool) -> None:
    signature = json.dumps({"signature": {"inputs": json.dumps(INPUTS)}})
    schema = request_schema(tmp_path, signature, lenient=True)
    assert jsonschema.Draft7Validator(schema).is_valid({"input_data": data}) is fits
    schema = request_schema(tmp_path, signature)
    assert jsonschema.Draft7Validator(schema).is_valid({"input_data": data}) is (fits and isinstance(data, dict))
    assert schema["properties"]["input_data"]["x-columns"]["a"] == {"type": "number", "format": "double"}


@pytest.mark.parametrize("inputs", [[TENSOR], [{"type": "double"}], "text", [5], None, {}])
def test_any_other_signature_allows_anything_under_its_key(tmp_path: Path, inputs: Any) -> None:
    schema = request_schema(tmp_path, json.dumps({"signature": {"inputs": json.dumps(inputs)}}))
    assert jsonschema.Draft7Validator(schema).is_valid({"input_data": 5, "params": {}})
    assert not jsonschema.Draft7Validator(schema).is_valid({})


@given(st.text(max_size=30) | st.sampled_from(["signature: 5", "signature: {inputs: '['}", "- a", "a: b: c", "{"]))
def test_a_file_that_holds_no_signature_harms_nobody(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("model")
    (folder / "MLmodel").write_bytes(text.encode("utf-8", "surrogatepass"))
    assert json.loads(describe_model(folder))["openapi"] == "3.0.3"
