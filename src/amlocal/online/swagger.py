"""The OpenAPI document of a no-code deployment, read from its model's signature. A scoring script's is its own."""

import json
from pathlib import Path
from typing import Any

from amlocal.core.decoding import read_definition, read_json
from amlocal.core.yaml_decoding import read_yaml

_TYPES = {
    "double": {"type": "number", "format": "double"},
    "float": {"type": "number", "format": "float"},
    "long": {"type": "integer", "format": "int64"},
    "integer": {"type": "integer", "format": "int32"},
    "boolean": {"type": "boolean"},
    "string": {"type": "string"},
    "binary": {"type": "string", "format": "byte"},
    "datetime": {"type": "string", "format": "date-time"},
}
"""By MLflow's name; what is not here may be anything."""

_LIST = {"type": "array", "items": {}}
_ROWS = {"type": "array", "items": _LIST}
_SPLIT = {
    "type": "object",
    "properties": {
        "columns": {"type": "array", "items": {"type": "string"}},
        "index": {"type": "array"},
        "data": _ROWS,
    },
    "required": ["columns", "data"],
}


def describe_model(folder: Path, *, lenient: bool = False) -> bytes:
    """Return the document of the MLflow model in a folder, `lenient` with the forms that Azure does not take.

    A signature that cannot be read allows anything.
    """
    content = {"application/json": {"schema": _request(_inputs(folder / "MLmodel"), lenient=lenient)}}
    answers = {"200": {"description": "The predictions, one a row."}, "default": {"description": "The reason."}}
    score = {"operationId": "score", "requestBody": {"required": True, "content": content}, "responses": answers}
    document = {
        "openapi": "3.0.3",
        "info": {"title": folder.name, "version": "1"},
        "paths": {"/score": {"post": score}},
        "components": {"securitySchemes": {"Bearer": {"type": "http", "scheme": "bearer"}}},
        "security": [{"Bearer": []}],
    }
    return json.dumps(document).encode()


def _inputs(file: Path) -> list[dict[str, Any]]:
    try:
        found = read_json(read_yaml(read_definition(file))["signature"]["inputs"])
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return found if isinstance(found, list) and all(isinstance(column, dict) for column in found) else []


def _request(inputs: list[dict[str, Any]], *, lenient: bool) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if inputs and all(isinstance(column.get("name"), str) and column.get("type") != "tensor" for column in inputs):
        row = {
            "type": "object",
            "properties": {column["name"]: _TYPES.get(str(column.get("type")), {}) for column in inputs},
            "required": [column["name"] for column in inputs if column.get("required", True)],
        }
        data = {"anyOf": [_SPLIT, {"type": "array", "items": row}, _ROWS]} if lenient else _SPLIT
        # Which type a place in a row has depends on 'columns', which no schema can follow.
        data = {**data, "x-columns": row["properties"]}
    properties = {"input_data": data, "params": {"type": "object"}}
    return {"type": "object", "properties": properties, "required": ["input_data"]}
