"""The scoring endpoint as an OpenAPI 3.1 document, whose schemas are JSON Schema 2020-12."""

import json
from typing import Any

from mlgates.contract.requests import Format, encode, served_formats
from mlgates.contract.schema import request_schema, response_schema
from mlgates.contract.signature import Batch, ModelContract
from mlgates.endpoint_client import MODEL_STATUS

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
