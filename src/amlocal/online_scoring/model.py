"""An MLflow model in the scoring process: loaded, and asked for all the requests that wait together."""

from __future__ import annotations

import json
import math
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import DataType, TensorSpec

from amlocal.online_scoring.link import ScoringRequest, ScoringResponse
from amlocal.online_scoring.request_parser import ParsedRequest, parse_request
from amlocal.online_scoring.signature import TYPE_RULES, Column, InvalidRequest, Param, Signature, Tensor

_ENCODER = json.JSONEncoder(allow_nan=False)


class Model:
    """A model that MLflow has loaded; `lenient` takes tables in any form. Raises what MLflow raises."""

    def __init__(self, folder: Path, *, lenient: bool = False) -> None:
        self._model = mlflow.pyfunc.load_model(str(folder))
        metadata = self._model.metadata
        signature = _read_signature(metadata)
        self.signature = replace(signature, split_only=signature.split_only and not lenient)
        self.example = _input_example(metadata, folder)
        if self.signature.columns:
            # A table comes here as the signature says, or not at all: `read_table` is stricter than MLflow, whose look
            # at it would take a quarter of the time of a small prediction.
            _leave_inputs_unchecked(metadata)

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Return the model's predictions."""
        return self._model.predict(data, params=params) if params else self._model.predict(data)


def _read_signature(metadata: Any) -> Signature:
    inputs = metadata.get_input_schema()
    params = [
        Param(spec.name, spec.dtype.name, listed=spec.shape is not None, optional=spec.default is None)
        for spec in (metadata.get_params_schema() or ())
        if isinstance(spec.dtype, DataType)
    ]
    if inputs is None:
        return Signature(params=params)
    if inputs.is_tensor_spec():
        specs: Sequence[TensorSpec] = inputs.inputs
        return Signature(tensors=[Tensor(spec.name, spec.type, tuple(spec.shape)) for spec in specs], params=params)
    named = inputs.has_input_names()
    columns = [
        Column(spec.name or str(place), spec.type.name, spec.required)
        for place, spec in enumerate(inputs.inputs)
        if isinstance(spec.type, DataType) and spec.type.name in TYPE_RULES
    ]
    if len(columns) < len(inputs.inputs):
        return Signature(params=params, split_only=named)
    return Signature(columns=columns, params=params, named=named, split_only=named)


def _input_example(metadata: Any, folder: Path) -> pd.DataFrame | None:
    if metadata.saved_input_example_info is None:
        return None
    example = metadata.load_input_example(str(folder))
    if not isinstance(example, pd.DataFrame) or metadata.get_input_schema() is None:
        return None
    return example[[name for name in metadata.get_input_schema().input_names() if name in example]]


def _leave_inputs_unchecked(metadata: Any) -> None:
    outputs, params = metadata.signature.outputs, metadata.signature.params
    rest = outputs is not None or params is not None
    metadata.signature = ModelSignature(outputs=outputs, params=params) if rest else None


def json_ready(predictions: Any) -> Any:
    """Return predictions as JSON values, one a row; tables as objects by column, as Azure ML writes them.

    What JSON has no word for (NaN, infinity) is null.
    """
    if isinstance(predictions, (pd.DataFrame, pd.Series)):
        frame = predictions if isinstance(predictions, pd.DataFrame) else pd.DataFrame(predictions)
        return [{str(key): _plain(value) for key, value in row.items()} for row in frame.to_dict(orient="records")]
    if isinstance(predictions, np.ndarray):
        whole = predictions.dtype.kind in "iub" or (predictions.dtype.kind == "f" and np.isfinite(predictions).all())
        return predictions.tolist() if whole else _plain(predictions.tolist())
    return _plain(predictions)


def _plain(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value if value is None or isinstance(value, (str, int, bool)) else str(value)


class OnlineScorer:
    """Answers scoring requests with one model.

    Tables are merged only if `merges`: on the model's own example, asking for two rows at once gave what asking for
    each alone gave.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.merges = _is_rowwise(model)

    def respond(self, requests: Sequence[ScoringRequest]) -> Iterator[list[ScoringResponse]]:
        """Yield the responses to the requests, in any order, those that are ready at the same time together."""
        groups: dict[object, list[tuple[ScoringRequest, ParsedRequest]]] = {}
        invalid: list[ScoringResponse] = []
        for request in requests:
            try:
                parsed = parse_request(request, self._model.signature)
            except InvalidRequest as error:
                invalid.append(_error_response(request, str(error), error.status))
                continue
            merged = self.merges and parsed.columns is not None
            groups.setdefault(parsed.batch_key if merged else request.number, []).append((request, parsed))
        if invalid:
            yield invalid
        for group in groups.values():
            yield from self._together(group)

    def _together(self, group: Sequence[tuple[ScoringRequest, ParsedRequest]]) -> Iterator[list[ScoringResponse]]:
        if len(group) == 1:
            yield [self._alone(*group[0])]
            return
        try:
            yield self._merged(group)
        except Exception:  # noqa: BLE001 - whatever the model raised: whose fault it was shows when each is asked alone
            for request, parsed in group:
                yield [self._alone(request, parsed)]

    def _merged(self, group: Sequence[tuple[ScoringRequest, ParsedRequest]]) -> list[ScoringResponse]:
        batch = [parsed for _, parsed in group]
        names = batch[0].columns or {}
        columns = {name: np.concatenate([(one.columns or {})[name] for one in batch]) for name in names}
        started = time.perf_counter()
        rows = json_ready(self._model.predict(self._frame(columns), batch[0].params))
        took = (time.perf_counter() - started) * 1000
        if not isinstance(rows, list) or len(rows) != sum(parsed.rows for parsed in batch):
            raise ValueError("the model gave another number of predictions than it was asked for")
        responses, start = [], 0
        for request, parsed in group:
            responses.append(ScoringResponse(request.number, 200, _encode(rows[start : start + parsed.rows]), took))
            start += parsed.rows
        return responses

    def _alone(self, request: ScoringRequest, parsed: ParsedRequest) -> ScoringResponse:
        data = parsed.data if parsed.columns is None else self._frame(parsed.columns)
        started = time.perf_counter()
        try:
            predictions = self._model.predict(data, parsed.params)
        except MlflowException as error:  # the signature, as MLflow sees it
            return _error_response(request, error.message, 400)
        except Exception as error:  # noqa: BLE001 - the model's code may raise anything; the process serves on
            traceback.print_exc(file=sys.stderr)
            return _error_response(request, f"The model failed: {type(error).__name__}: {error}", 500)
        took = (time.perf_counter() - started) * 1000
        return ScoringResponse(request.number, 200, _encode(json_ready(predictions)), took)

    def _frame(self, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
        names = pd.Index(list(columns) if self._model.signature.named else range(len(columns)))
        kinds = {column.dtype for column in columns.values()}
        if len(kinds) == 1 and next(iter(kinds)).kind == "f":  # one block, which costs a tenth of one a column
            return pd.DataFrame(np.column_stack(list(columns.values())), columns=names)
        return pd.DataFrame(dict(zip(names, columns.values())))  # noqa: B905 - strict is of Python 3.10


def _encode(value: Any) -> bytes:
    return _ENCODER.encode(value).encode()


def _error_response(request: ScoringRequest, message: str, status: int) -> ScoringResponse:
    code = "ModelError" if status >= 500 else "BadRequest"
    return ScoringResponse(request.number, status, _encode({"error": {"code": code, "message": message}}))


def _is_rowwise(model: Model) -> bool:
    """Return whether the model predicts each row by itself, as far as its own example shows."""
    example = model.example
    if not model.signature.columns or example is None or example.empty:
        return False
    rows = pd.concat([example, example.iloc[::-1]], ignore_index=True).head(16)
    try:
        together = json_ready(model.predict(rows))
        alone = [json_ready(model.predict(rows.iloc[[number]])) for number in range(len(rows))]
    except Exception as error:  # noqa: BLE001 - a model that fails on its example may serve all the same
        print(f"The model fails on its own input example: {error}", file=sys.stderr)  # noqa: T201 - this is the log
        return False
    return isinstance(together, list) and alone == [[row] for row in together]
