"""Request and response as JSON Schema, draft 2020-12, and the endpoint as an OpenAPI 3.1 document.

The schema says what the signature promises, not what the expectation suites know: a value outside the ranges of the
training data is still answered. What JSON Schema cannot say (a row in `data` as long as `columns`, NaN, encoding) is
in `request_parser`.
"""

import json
from typing import Any

from mlgates.contract.scoring_requests import Format, encode, served_formats
from mlgates.contract.signature import (
    INTEGERS,
    LARGEST,
    MOMENT,
    Batch,
    Column,
    DataType,
    Input,
    ModelContract,
    Param,
    Tensor,
    last_required,
)
from mlgates.endpoint_client import MODEL_STATUS

DRAFT = "https://json-schema.org/draft/2020-12/schema"


_REFUSALS = {
    "400": "the request is not what the schema says; the message names the field",
    "401": "no key, or a wrong one",
    "408": "no answer within the deployment's time limit",
    "413": "the body is too large",
    "415": "the content type is not application/json",
    "424": f"the model's process refused the request or failed; the header {MODEL_STATUS} has its own status",
    "429": "the deployment's queue is full",
}
"""What Azure ML's router answers besides 200, and when."""


def request_schema(contract: ModelContract) -> dict[str, Any]:
    """Return the schema of a request's body."""
    forms = [_form(contract, form) for form in served_formats(contract)]
    properties: dict[str, Any] = {"input_data": forms[0] if len(forms) == 1 else {"anyOf": forms}}
    if contract.params:
        properties["params"] = _object({param.name: _param(param) for param in contract.params}, required=())
    else:
        properties["params"] = {"type": "object", "maxProperties": 0}
    return {"$schema": DRAFT, **_object(properties, required=("input_data",))}


def response_schema(contract: ModelContract) -> dict[str, Any]:
    """Return the schema of the body of a 200: a bare list, one prediction a row."""
    outputs = contract.outputs
    if not outputs:
        return {"$schema": DRAFT, "type": "array"}
    values = {output.name: value_schema(output) for output in outputs}
    if all(isinstance(output, Tensor) and output.name for output in outputs):
        arrays = {name: {"type": "array", "items": value} for name, value in values.items()}
        return {"$schema": DRAFT, **_object(arrays, required=tuple(arrays))}
    record = _object(values, required=tuple(values))
    alone = [next(iter(values.values()))] if len(values) == 1 else []
    either = [*alone, record] if outputs[0].name else alone
    return {"$schema": DRAFT, "type": "array", "items": either[0] if len(either) == 1 else {"anyOf": either}}


def value_schema(each: Input) -> dict[str, Any]:
    """Return the schema of one row's value of an input or output."""
    if isinstance(each, Column):
        scalar = _scalar(each.type)
        return {**scalar, "type": [scalar["type"], "null"]} if each.nullable else scalar
    schema = _scalar(each.type)
    for length in reversed(each.row_shape):
        fixed = {} if length == -1 else {"minItems": length, "maxItems": length}
        schema = {"type": "array", "items": schema, **fixed}
    return schema


def _form(contract: ModelContract, form: Format) -> dict[str, Any]:
    values = {each.name: value_schema(each) for each in contract.inputs}
    required = tuple(e.name for e in contract.inputs if not isinstance(e, Column) or e.required)
    match form:
        case Format.POSITIONAL:
            least = last_required(contract)
            return _rows({"type": "array", "prefixItems": [*values.values()], "items": False, "minItems": least}, form)
        case Format.RECORDS:
            return _rows(_object(values, required=required), form)
        case Format.SPLIT:
            return _split(list(values), required)
        case Format.TENSOR:
            return _rows(next(iter(values.values())), form)
        case Format.NAMED_TENSORS:
            arrays = {name: _rows(value, form) for name, value in values.items()}
            return _object(arrays, required=required)


def _split(names: list[str], required: tuple[str, ...]) -> dict[str, Any]:
    columns = {
        "type": "array",
        "items": {"enum": names},
        "uniqueItems": True,
        "allOf": [{"contains": {"const": name}} for name in required],
    }
    row = {"type": "array", "minItems": len(required), "maxItems": len(names)}
    # Which type a place in a row has depends on the order in `columns`, which no schema can follow.
    parts = {"columns": columns, "index": {"type": "array"}, "data": {"type": "array", "items": row, "minItems": 1}}
    return {"title": Format.SPLIT.value, **_object(parts, required=("columns", "data"))}


def _rows(row: dict[str, Any], form: Format) -> dict[str, Any]:
    return {"title": form.value, "type": "array", "items": row, "minItems": 1}


def _object(properties: dict[str, Any], *, required: tuple[str, ...]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _scalar(data_type: DataType) -> dict[str, Any]:
    if data_type in INTEGERS:
        low, high = INTEGERS[data_type]
        return {"type": "integer", "minimum": low, "maximum": high}
    if data_type in LARGEST:
        return {"type": "number", "minimum": -LARGEST[data_type], "maximum": LARGEST[data_type]}
    match data_type:
        case DataType.BOOLEAN:
            return {"type": "boolean"}
        case DataType.BINARY:
            return {"type": "string", "contentEncoding": "base64"}
        case DataType.DATETIME:
            # Not the format date-time, which requires a time zone.
            return {"type": "string", "pattern": MOMENT}
    return {"type": "string"}


def _param(param: Param) -> dict[str, Any]:
    one = _scalar(param.type)
    schema = {"type": "array", "items": one} if param.listed else one
    return schema if param.default is None else {**schema, "default": param.default}


def openapi(contract: ModelContract, *, title: str, version: str) -> dict[str, Any]:
    """Return the document for the model `title` in `version`, with an example in each format."""
    body = {"schema": _inner(request_schema(contract)), "examples": _examples(contract)}
    answer = {"description": "one prediction a row", "content": _json({"schema": _inner(response_schema(contract))})}
    operation = {
        "operationId": "score",
        "summary": "Predict, one prediction a row",
        "requestBody": {"required": True, "content": _json(body)},
        "responses": {"200": answer, **{status: {"description": why} for status, why in _REFUSALS.items()}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": {"/score": {"post": operation}},
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        "security": [{"key": []}],
    }


def _json(media: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": media}


def _inner(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without its own `$schema`: 3.1 documents have 2020-12 by themselves."""
    return {key: value for key, value in schema.items() if key != "$schema"}


def _examples(contract: ModelContract) -> dict[str, Any]:
    if not contract.example:
        return {}
    batch = Batch(contract.names, contract.example)
    return {_slug(form): {"value": _document(batch, form)} for form in served_formats(contract)}


def _slug(form: Format) -> str:
    return form.value.replace(" ", "-")


def _document(batch: Batch, form: Format) -> Any:
    return json.loads(encode(batch, form).body)
