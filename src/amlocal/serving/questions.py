"""A request's body, read: what the model shall be asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from amlocal.serving.frames import Request
from amlocal.serving.model import Signature
from amlocal.serving.params import read_params
from amlocal.serving.refusal import Refusal
from amlocal.serving.table import read_table
from amlocal.serving.tensors import read_tensors

_JSON = "application/json"
_KEYS = {"input_data", "params"}
_SPLIT_ONLY = (
    "'input_data' must hold 'columns', 'index' and 'data': Azure's scoring script for MLflow models with named columns "
    "takes no other form (amlocal --lenient takes rows of values and rows of names and values too)."
)


@dataclass(frozen=True)
class Question:
    """What to predict. `columns` hold a table that may be merged with others of the same `key`; else `data` is all."""

    data: Any
    params: Mapping[str, Any]
    columns: Mapping[str, np.ndarray] | None = None

    @property
    def rows(self) -> int:
        """The length of the table."""
        return len(next(iter((self.columns or {}).values()), ()))

    @property
    def key(self) -> tuple[str, ...]:
        """What two tables must share to be one: the columns that were sent and the parameters."""
        return (json.dumps(self.params, sort_keys=True) if self.params else "", *(self.columns or {}))


def read_question(request: Request, signature: Signature) -> Question:
    """Return what a request asks. Raises `Refusal` for one that the signature does not allow."""
    content = _content(request)
    params = read_params(content.get("params"), signature.params)
    data = content["input_data"]
    if signature.split_only and not (isinstance(data, dict) and {"columns", "data"} & data.keys()):
        raise Refusal(_SPLIT_ONLY)
    if signature.columns:
        return Question(None, params, read_table(data, signature.columns))
    if signature.tensors:
        return Question(read_tensors(data, signature.tensors), params)
    return Question(_unchecked(data), params)


def _content(request: Request) -> dict[str, Any]:
    _check_content_type(request.content_type)
    try:
        content = json.loads(request.body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Refusal(f"The body is not UTF-8: {error.reason} at byte {error.start}.") from error
    except RecursionError as error:
        raise Refusal("The body is nested too deeply.") from error
    except ValueError as error:
        raise Refusal(f"The body is not JSON: {str(error)[:200]}.") from error
    if not isinstance(content, dict) or "input_data" not in content:
        raise Refusal("The body must be a JSON object with the key 'input_data'.")
    unknown = next((key for key in content if key not in _KEYS), None)
    if unknown is not None:
        raise Refusal(f"The key '{unknown}' is not known; the body holds 'input_data' and may hold 'params'.")
    return content


def _check_content_type(stated: str) -> None:
    # The usual spelling first: this is done for every request.
    if stated == _JSON:
        return
    kind, *details = (part.strip().lower() for part in stated.split(";"))
    charset = next(
        (detail.partition("=")[2].strip('"') for detail in details if detail.startswith("charset=")), "utf-8"
    )
    if kind != _JSON or charset != "utf-8":
        raise Refusal(f"The Content-Type is {stated!r}; send {_JSON}, which is in UTF-8.", status=415)


def _unchecked(data: Any) -> Any:
    """Return the data of a model whose signature, if any, is MLflow's to enforce."""
    try:
        if isinstance(data, dict) and {"columns", "data"} <= set(data):
            return pd.DataFrame(data["data"], columns=data["columns"], index=data.get("index"))
        if isinstance(data, list) and data and isinstance(data[0], dict):
            return pd.DataFrame.from_records(data)
        return np.array(data) if isinstance(data, list) else data
    except (ValueError, TypeError) as error:
        raise Refusal(f"'input_data' is not a table: {str(error)[:200]}.") from error
