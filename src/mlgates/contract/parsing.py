"""What a request means, or why it is refused: the contract's own reading, strict where servers guess.

Azure ML's scoring script and MLflow leave much to pandas: extra columns are dropped, `"2"` and `true` become numbers,
an index longer than the data makes rows up. Each is an answer to a question that nobody asked, so here it is refused.
"""

import json
from collections.abc import Mapping
from typing import Any

from mlgates.contract.errors import RequestRefused
from mlgates.contract.scalars import json_type, problem_of
from mlgates.contract.signature import Batch, ModelContract
from mlgates.contract.tables import read_table
from mlgates.contract.tensors import read_tensors
from mlgates.endpoint_client import Json

_KNOWN = ("input_data", "params")


def parse(contract: ModelContract, body: bytes, headers: Mapping[str, str]) -> Batch:
    """Return what the request asks. Raises `RequestRefused`: 415 for a foreign content type, 400 for the rest."""
    _check_content_type(headers)
    document = _document(body)
    for key in document:
        if key not in _KNOWN:
            raise RequestRefused(f"unknown key '{key}': a request has 'input_data' and, for some models, 'params'")
    if "input_data" not in document:
        raise RequestRefused("'input_data' is missing: a request is {\"input_data\": ...}")
    read = read_tensors if contract.tensors else read_table
    names, rows = read(contract, document["input_data"])
    if not rows:
        raise RequestRefused("'input_data' has no rows: at least one is required")
    return Batch(names, rows, _params(contract, document.get("params", {})))


def _check_content_type(headers: Mapping[str, str]) -> None:
    stated = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    media, *parameters = (part.strip().lower() for part in stated.split(";"))
    if media != "application/json":
        raise RequestRefused(f"Content-Type is '{stated}', and application/json is required", status=415)
    for parameter in parameters:
        if parameter.startswith("charset=") and parameter.removeprefix("charset=").strip('"') != "utf-8":
            raise RequestRefused(f"Content-Type has {parameter}, and JSON is in UTF-8 (RFC 8259)", status=415)


def _document(body: bytes) -> dict[str, Any]:
    try:
        # Decoded here: given bytes, json.loads also takes UTF-16 and UTF-32.
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestRefused(f"the body is not UTF-8: {error.reason} at byte {error.start}") from error
    try:
        document = json.loads(text)  # NaN and the infinities too, which the column that holds them then refuses
    except RecursionError as error:
        raise RequestRefused("the body is nested too deeply") from error
    except ValueError as error:
        raise RequestRefused(f"the body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise RequestRefused(f"the body is {json_type(document)}, and an object with 'input_data' is required")
    return document


def _params(contract: ModelContract, stated: object) -> Mapping[str, Json]:
    if not isinstance(stated, dict):
        raise RequestRefused(f"'params' is {json_type(stated)}, and an object is required")
    known = {param.name: param for param in contract.params}
    for name, value in stated.items():
        if name not in known:
            raise RequestRefused(f"unknown parameter '{name}': the model has {', '.join(known) or 'none'}")
        param = known[name]
        if value is None and param.default is None:
            continue
        if param.listed and not isinstance(value, list):
            raise RequestRefused(f"parameter '{name}' is {json_type(value)}, and a list is required")
        for each in value if isinstance(value, list) and param.listed else [value]:
            if problem := problem_of(each, param.kind):
                raise RequestRefused(f"parameter '{name}' {problem}")
    return stated
