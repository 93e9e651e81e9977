"""A scoring request: the forms in which a batch of rows is written, and what one means, or why it is refused.

Azure ML's scoring script and MLflow leave much to pandas: extra columns are dropped, `"2"` and `true` become numbers,
an index longer than the data makes rows up. Each is an answer to a question that nobody asked, so here it is refused.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias

import numpy as np

from mlgates.contract.signature import Batch, ModelContract, Tensor, json_type, last_required, problem_of
from mlgates.core.errors import ExitCode, MlgatesError
from mlgates.endpoint_client import Json, ScoringRequest

_KNOWN = ("input_data", "params")


Table: TypeAlias = tuple[tuple[str, ...], tuple[tuple[Json, ...], ...]]
"""The names of the columns, in the order of the signature, and rows with a value for each."""
_PARTS = ("columns", "index", "data")


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
    """Return whether Azure ML's own scoring script for MLflow models takes `form` for this model.

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


@dataclass
class RequestRefused(MlgatesError):
    """A request that the contract does not allow, with the HTTP status that says so."""

    exit_code: ClassVar[ExitCode] = ExitCode.REQUEST_INVALID

    message: str
    """Names the field that is wrong, and what was expected of it."""
    status: int = 400

    def __str__(self) -> str:
        return self.message


def parse(contract: ModelContract, body: bytes, headers: Mapping[str, str]) -> Batch:
    """Return what the request asks. Raises `RequestRefused`: 415 for a foreign content type, 400 for the rest."""
    _check_content_type(headers)
    document = _document(body)
    for key in document:
        if key not in _KNOWN:
            raise RequestRefused(f"unknown key '{key}': a request has 'input_data' and, for some models, 'params'")
    if "input_data" not in document:
        raise RequestRefused("'input_data' is missing: a request is {\"input_data\": ...}")
    read = _read_tensors if contract.tensors else _read_table
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
            if problem := problem_of(each, param.type):
                raise RequestRefused(f"parameter '{name}' {problem}")
    return stated


def _read_table(contract: ModelContract, stated: object) -> Table:
    """Return columns and rows. Raises `RequestRefused` that names the row and the column."""
    if isinstance(stated, dict):
        names, rows = _read_split(contract, stated)
    elif isinstance(stated, list) and any(isinstance(row, dict) for row in stated):
        names, rows = _read_records(contract, stated)
    elif isinstance(stated, list):
        names = _leading_columns(contract, stated)
        rows = _read_lists(names, stated)
    else:
        raise RequestRefused(f"'input_data' is {json_type(stated)}, and a table is required: lists, records or split")
    return _checked_table(contract, names, rows)


def _read_split(contract: ModelContract, stated: dict[str, Any]) -> tuple[Sequence[str], list[list[Any]]]:
    for part in stated:
        if part not in _PARTS:
            raise RequestRefused(f"'input_data' has the unknown part '{part}'; its parts are columns, index and data")
    for part in ("columns", "data"):
        if not isinstance(stated.get(part), list):
            raise RequestRefused(f"'input_data' needs a list '{part}': columns and data, with or without index")
    names = stated["columns"]
    if wrong := next((name for name in names if not isinstance(name, str)), None):
        raise RequestRefused(f"'columns' holds {json_type(wrong)}, and names are required")
    if not contract.named:
        raise RequestRefused("'columns' are given, and the model's inputs have no names: send lists of values")
    index = stated.get("index")
    if index is not None and (not isinstance(index, list) or len(index) != len(stated["data"])):
        raise RequestRefused(f"'index' must be a list as long as 'data', which has {len(stated['data'])} rows")
    return names, _read_lists(names, stated["data"])


def _leading_columns(contract: ModelContract, rows: list[Any]) -> tuple[str, ...]:
    """Return the columns that lists of values are for: all but optional ones at the end that the first row lacks."""
    given = len(rows[0]) if rows and isinstance(rows[0], list) else len(contract.columns)
    return contract.names[: max(given, last_required(contract))]


def _read_lists(names: Sequence[str], rows: list[Any]) -> list[list[Any]]:
    for number, row in enumerate(rows):
        if not isinstance(row, list):
            raise RequestRefused(f"'input_data', row {number} is {json_type(row)}, and a list is required")
        if len(row) != len(names):
            first = names[len(row)] if len(row) < len(names) else "none"
            raise RequestRefused(
                f"'input_data', row {number} has {len(row)} values for {len(names)} columns; without one: {first}"
            )
    return rows


def _read_records(contract: ModelContract, rows: list[Any]) -> tuple[Sequence[str], list[list[Any]]]:
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise RequestRefused(f"'input_data', row {number} is {json_type(row)} among objects")
    names = list(dict.fromkeys(name for row in rows for name in row))
    may_lack = {column.name for column in contract.columns if column.nullable}
    for number, row in enumerate(rows):
        if lacking := next((name for name in names if name not in row and name not in may_lack), None):
            raise RequestRefused(f"'input_data', row {number} has no '{lacking}', which other rows have")
    return names, [[row.get(name) for name in names] for row in rows]


def _checked_table(contract: ModelContract, names: Sequence[str], rows: list[list[Any]]) -> Table:
    _check_names(contract, names, any_rows=bool(rows))
    chosen = [(column, list(names).index(column.name)) for column in contract.columns if column.name in names]
    for number, row in enumerate(rows):
        for column, place in chosen:
            if row[place] is None and column.nullable:
                continue
            if problem := problem_of(row[place], column.type):
                raise RequestRefused(f"'input_data', row {number}, column '{column.name}' {problem}")
    ordered = tuple(column.name for column, _ in chosen)
    return ordered, tuple(tuple(row[place] for _, place in chosen) for row in rows)


def _check_names(contract: ModelContract, names: Sequence[str], *, any_rows: bool) -> None:
    for name in names:
        if name not in contract.names:
            raise RequestRefused(f"unknown column '{name}'; the model has {', '.join(contract.names)}")
        if list(names).count(name) > 1:
            raise RequestRefused(f"column '{name}' is given twice")
    for column in contract.columns:
        if any_rows and column.required and column.name not in names:  # without any row, that is what is told
            raise RequestRefused(f"column '{column.name}' is missing")


def _read_tensors(contract: ModelContract, stated: object) -> Table:
    """Return the names of the arrays and rows with a value for each. Raises `RequestRefused` that names the array."""
    arrays = _named_arrays(contract, stated) if contract.named else {"": stated}
    columns: list[list[object]] = []
    for tensor in contract.tensors:
        field = f"'{tensor.name}'" if tensor.name else "'input_data'"
        array = arrays[tensor.name]
        if not isinstance(array, list):
            raise RequestRefused(f"{field} is {json_type(array)}, and an array of rows is required")
        for number, row in enumerate(array):
            _check_array(row, tensor, tensor.row_shape, f"{field}, row {number}")
        if array and np.array(array, dtype=object).ndim < len(tensor.shape):
            raise RequestRefused(f"{field} is ragged: its rows are not of one shape, and {tensor.shape} is required")
        columns.append(array)
    if len({len(column) for column in columns}) > 1:
        lengths = ", ".join(f"'{name}': {len(column)}" for name, column in zip(contract.names, columns, strict=True))
        raise RequestRefused(f"the arrays differ in their number of rows: {lengths}")
    return contract.names, tuple(zip(*columns, strict=True))


def _named_arrays(contract: ModelContract, stated: object) -> dict[str, object]:
    if not isinstance(stated, dict):
        raise RequestRefused(
            f"'input_data' is {json_type(stated)}, and an object with {_listed_names(contract)} is required"
        )
    for name in contract.names:
        if name not in stated:
            raise RequestRefused(f"input '{name}' is missing")
    for name in stated:
        if name not in contract.names:
            raise RequestRefused(f"unknown input '{name}'; the model has {_listed_names(contract)}")
    return stated


def _listed_names(contract: ModelContract) -> str:
    return ", ".join(contract.names)


def _check_array(value: object, tensor: Tensor, shape: tuple[int, ...], where: str) -> None:
    if not shape:
        if problem := problem_of(value, tensor.type) or _problem_of_bits(value, tensor.dtype):
            raise RequestRefused(f"{where} {problem}")
        return
    if not isinstance(value, list):
        raise RequestRefused(f"{where} is {json_type(value)}, and a list is required: the shape is {tensor.shape}")
    if shape[0] not in {-1, len(value)}:
        raise RequestRefused(
            f"{where} has length {len(value)}, and {shape[0]} is required: the shape is {tensor.shape}"
        )
    for place, each in enumerate(value):
        _check_array(each, tensor, shape[1:], f"{where}[{place}]")


def _problem_of_bits(value: object, dtype: str) -> str | None:
    """Tell a number that its NumPy type cannot hold."""
    numpy_type = np.dtype(dtype)
    if numpy_type.kind not in "iuf" or not isinstance(value, int | float):
        return None
    # As Python's numbers: NumPy would compare in its own few bits.
    low, high = _range_of(numpy_type)
    return None if low <= value <= high else f"is out of range: {low:g} to {high:g}"


def _range_of(numpy_type: "np.dtype[Any]") -> tuple[float, float]:
    if numpy_type.kind == "f":
        return float(np.finfo(numpy_type).min), float(np.finfo(numpy_type).max)
    return int(np.iinfo(numpy_type).min), int(np.iinfo(numpy_type).max)
