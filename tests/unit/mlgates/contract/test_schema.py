"""The schemas say what the parser does, as far as JSON Schema can."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mlgates.contract.invalid_requests import catalogue
from mlgates.contract.schema import DRAFT, openapi, request_schema, response_schema, value_schema
from mlgates.contract.scoring_requests import Format, served_formats
from mlgates.contract.signature import INTEGERS, LARGEST, Column, DataType, ModelContract, Tensor
from mlgates.contract.strategies import requests
from tests.unit.mlgates.contract.models import BATCHES, CONTRACTS, few

ASKED = [(name, form) for name, contract in CONTRACTS.items() for form in served_formats(contract)]
NUMBER = Tensor("", DataType.LONG, (-1,), "int64")
SEEN_BY_THE_SCHEMA = (
    " missing, in",
    "misspelt",
    "extra",
    "null",
    "params",
    "unknown",
    "data a number",
    "no rows",
    "object",
)

CONTENT = {"type": "object", "required": ["application/json"]}
OPENAPI = {
    "type": "object",
    "required": ["openapi", "info", "paths"],
    "additionalProperties": False,
    "properties": {
        "openapi": {"const": "3.1.0"},
        "info": {"type": "object", "required": ["title", "version"], "additionalProperties": {"type": "string"}},
        "paths": {
            "propertyNames": {"pattern": "^/"},
            "additionalProperties": {
                "additionalProperties": False,
                "properties": {
                    "post": {
                        "required": ["responses"],
                        "properties": {
                            "requestBody": {"required": ["content"], "properties": {"content": CONTENT}},
                            "responses": {
                                "propertyNames": {"pattern": "^[1-5][0-9]{2}$"},
                                "additionalProperties": {
                                    "required": ["description"],
                                    "properties": {"description": {"type": "string"}, "content": CONTENT},
                                    "additionalProperties": False,
                                },
                            },
                        },
                    }
                },
            },
        },
        "components": {
            "properties": {"securitySchemes": {"additionalProperties": {"required": ["type", "scheme"]}}},
            "additionalProperties": False,
        },
        "security": {"type": "array", "items": {"additionalProperties": {"type": "array"}}},
    },
}
"""What OpenAPI 3.1 (spec.openapis.org/oas/v3.1.0, the objects of these names) demands of the parts that we write."""


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_the_schemas_are_of_draft_2020_12(contract: ModelContract) -> None:
    Draft202012Validator.check_schema(request_schema(contract))
    Draft202012Validator.check_schema(response_schema(contract))


@pytest.mark.parametrize(("name", "form"), ASKED)
@few
@given(data=st.data())
def test_a_valid_request_fits_the_schema(name: str, form: Format, data: st.DataObject) -> None:
    _, request = data.draw(requests(CONTRACTS[name], form))
    Draft202012Validator(request_schema(CONTRACTS[name])).validate(json.loads(request.body))


@pytest.mark.parametrize("name", CONTRACTS)
def test_what_a_schema_can_see_of_the_catalogue_does_not_fit(name: str, subtests: pytest.Subtests) -> None:
    validator = Draft202012Validator(request_schema(CONTRACTS[name]))
    for invalid in catalogue(CONTRACTS[name], BATCHES[name]):
        # Split has no types for the places of a row, see schema.py.
        untyped = ":" in invalid.name and Format.SPLIT in served_formats(CONTRACTS[name])
        if any(word in invalid.name for word in SEEN_BY_THE_SCHEMA) and not untyped:
            with subtests.test(invalid.name):
                assert not validator.is_valid(json.loads(invalid.request.body))


@pytest.mark.parametrize(
    ("outputs", "good", "bad"),
    [
        ((), [1, "x"], 3),
        ((NUMBER,), [1, 0], ["yes"]),
        ((Tensor("", DataType.DOUBLE, (-1, 2), "float64"),), [[0.1, 0.9]], [[0.1]]),
        ((Column("risk", DataType.DOUBLE),), [{"risk": 0.5}, 0.5], [{"other": 1}]),
        ((Column("risk", DataType.DOUBLE), Column("class", DataType.STRING)), [{"risk": 0.5, "class": "a"}], [0.5]),
        ((Tensor("a", DataType.LONG, (-1,), "int64"),), {"a": [1]}, [1]),
    ],
)
def test_an_answer_fits_or_not(outputs: tuple[Column | Tensor, ...], good: object, bad: object) -> None:
    validator = Draft202012Validator(response_schema(ModelContract((NUMBER,), outputs)))
    assert validator.is_valid(good)
    assert not validator.is_valid(bad)


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_openapi_document_has_an_example_in_each_format_that_fits_its_schema(name: str) -> None:
    contract = CONTRACTS[name]
    with_example = ModelContract(contract.inputs, contract.outputs, contract.params, BATCHES[name].rows, contract.named)
    document = openapi(with_example, title="model", version="3")
    body = document["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]
    assert document["openapi"].startswith("3.1")
    assert len(body["examples"]) == len(served_formats(contract))
    assert all(Draft202012Validator(body["schema"]).is_valid(example["value"]) for example in body["examples"].values())


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_openapi_document_has_the_form_of_one(name: str) -> None:
    document = openapi(CONTRACTS[name], title="model", version="3")
    Draft202012Validator(OPENAPI).validate(document)
    operation = document["paths"]["/score"]["post"]
    bodies = [operation["requestBody"], operation["responses"]["200"]]
    for body in bodies:
        Draft202012Validator.check_schema(body["content"]["application/json"]["schema"])
    assert {scheme for each in document["security"] for scheme in each} <= set(
        document["components"]["securitySchemes"]
    )


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_the_openapi_document_has_both_schemas_but_for_their_draft(contract: ModelContract) -> None:
    operation = openapi(contract, title="model", version="3")["paths"]["/score"]["post"]
    for body, schema in (
        (operation["requestBody"], request_schema(contract)),
        (operation["responses"]["200"], response_schema(contract)),
    ):
        assert {"$schema": DRAFT, **body["content"]["application/json"]["schema"]} == schema
        assert "$schema" not in body["content"]["application/json"]["schema"]


def test_the_openapi_document_says_what_is_asked_how_and_what_else_may_come_back() -> None:
    document = openapi(ModelContract((NUMBER,)), title="model", version="3")
    operation = document["paths"]["/score"]["post"]
    assert document["info"] == {"title": "model", "version": "3"}
    assert document["security"] == [{"key": []}]
    assert document["components"]["securitySchemes"] == {"key": {"type": "http", "scheme": "bearer"}}
    assert operation["requestBody"]["required"] is True
    assert set(operation["responses"]) == {"200", "400", "401", "408", "413", "415", "424", "429"}


@pytest.mark.parametrize("kind", INTEGERS, ids=str)
def test_a_whole_number_fits_as_far_as_its_type_reaches(kind: DataType) -> None:
    validator = Draft202012Validator(value_schema(Column("n", kind)))
    low, high = INTEGERS[kind]
    assert [validator.is_valid(value) for value in (low - 1, low, high, high + 1)] == [False, True, True, False]
    assert not validator.is_valid(0.5)


@pytest.mark.parametrize("kind", LARGEST, ids=str)
def test_a_number_fits_as_far_as_its_type_reaches(kind: DataType) -> None:
    validator = Draft202012Validator(value_schema(Column("n", kind)))
    most = LARGEST[kind]
    assert [validator.is_valid(value) for value in (-most, 0.5, most)] == [True] * 3
    assert [validator.is_valid(10 * Decimal(value)) for value in (-most, most)] == [False] * 2


@pytest.mark.parametrize("kind", DataType, ids=str)
@pytest.mark.parametrize("required", [False, True])
def test_null_fits_where_the_column_may_be_null(kind: DataType, required: bool) -> None:
    column = Column("n", kind, required=required)
    assert Draft202012Validator(value_schema(column)).is_valid(None) is column.nullable


@pytest.mark.parametrize(
    ("shape", "good", "bad"), [((-1, 2), [1, 2], [1]), ((-1, -1), [1], 1), ((-1, 2), [1, 2], [1, 2, 3])]
)
def test_a_tensor_fits_in_its_shape(shape: tuple[int, ...], good: object, bad: object) -> None:
    validator = Draft202012Validator(value_schema(Tensor("t", DataType.LONG, shape, "int64")))
    assert (validator.is_valid(good), validator.is_valid(bad)) == (True, False)


def test_a_model_without_example_has_none_in_its_document() -> None:
    document = openapi(ModelContract((NUMBER,)), title="model", version="1")
    assert document["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]["examples"] == {}
