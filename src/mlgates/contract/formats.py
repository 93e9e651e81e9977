"""The formats of a request to a no-code MLflow deployment, and how a batch is written in each."""

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from mlgates.contract.signature import Batch, ModelContract
from mlgates.endpoint_client import Json, ScoringRequest


class Format(StrEnum):
    """What stands under `input_data`."""

    POSITIONAL = "positional"
    """`[[1, 2], [3, 4]]`: the values in the order of the signature."""
    SPLIT = "split"
    """`{"columns": ["a", "b"], "index": [0, 1], "data": [[1, 2], [3, 4]]}`: columns in any order."""
    RECORDS = "records"
    """`[{"a": 1, "b": 2}, {"a": 3, "b": 4}]`: an object a row, keys in any order."""
    TENSOR = "tensor"
    """`[[[1, 2]], [[3, 4]]]`: one unnamed array, rows along its first dimension."""
    NAMED_TENSORS = "named tensors"
    """`{"a": [[1, 2]], "b": [[3, 4]]}`: an array an input, rows along the first dimension of each."""


def formats_of(contract: ModelContract) -> tuple[Format, ...]:
    """Return the formats in which the model of `contract` can be asked, as MLflow itself reads them."""
    if contract.tensors:
        return (Format.NAMED_TENSORS,) if contract.named else (Format.TENSOR,)
    if contract.named:
        return (Format.POSITIONAL, Format.SPLIT, Format.RECORDS)
    return (Format.POSITIONAL,)


def served_formats(contract: ModelContract) -> tuple[Format, ...]:
    """Return the formats that a deployment answers, on Azure and in a local workspace that is not lenient."""
    formats = formats_of(contract)
    return tuple(form for form in formats if form is Format.SPLIT) or formats


def azure_takes(form: Format, contract: ModelContract) -> bool:
    """Tell whether Azure ML's own scoring script for MLflow models takes `form` for this model.

    The script (Azure/azureml-assets, `mlflow_score_script.py`, the images `mlflow-ubuntu22.04-py*-cpu-inference`)
    reads the requests of a model with named columns by `inference_schema.PandasParameterType(orient="split")`, for
    which a list is a crash (`'list' object has no attribute 'items'`, a 500 that callers see as 424): of the three
    formats for columns Azure takes `split` alone. Lists are for models with tensor signatures.
    `tests/contract/mlgates/test_what_azure_answers.py` shows it with Microsoft's own packages.
    """
    return form in {Format.SPLIT, Format.TENSOR, Format.NAMED_TENSORS} and form in formats_of(contract)


def encode(batch: Batch, form: Format, *, order: Sequence[str] | None = None) -> ScoringRequest:
    """Write `batch` in `form`; `order` puts the names of columns in another order where the format has names."""
    document: dict[str, Any] = {"input_data": _input_data(batch, form, order or batch.names)}
    if batch.params:
        document["params"] = dict(batch.params)
    return ScoringRequest(dump(document))


def dump(document: object) -> bytes:
    """Return `document` as JSON in UTF-8; NaN and the infinities become the words that Python's JSON knows."""
    return json.dumps(document, ensure_ascii=False).encode()


def _input_data(batch: Batch, form: Format, order: Sequence[str]) -> Json:
    rows = [dict(zip(batch.names, row, strict=True)) for row in batch.rows]
    match form:
        case Format.POSITIONAL:
            return [list(row) for row in batch.rows]
        case Format.SPLIT:
            data: list[Json] = [[row[name] for name in order] for row in rows]
            return {"columns": list(order), "index": list(range(len(rows))), "data": data}
        case Format.RECORDS:
            return [{name: row[name] for name in order} for row in rows]
        case Format.TENSOR:
            return [row[0] for row in batch.rows]
        case Format.NAMED_TENSORS:
            return {name: [row[name] for row in rows] for name in order}
