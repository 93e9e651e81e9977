"""An MLflow model as the scoring process sees it: its signature as plain values, its predictions as JSON rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import DataType, TensorSpec

from amlocal.serving.params import Param
from amlocal.serving.tensors import Tensor
from amlocal.serving.values import RULES, Column


@dataclass(frozen=True)
class Signature:
    """What a model takes: `columns` (plain ones), or `tensors`; neither for a model that MLflow must check.

    Columns without names are called "0", "1", ... here, and 0, 1, ... for the model. `params` may be
    sent beside the data. With `split_only` a table is sent as 'columns' and 'data' and no other way: Azure's scoring
    script reads the requests of a model with named columns by pandas' `orient="split"`, and fails on all others
    (docs/amlocal.md, "Online endpoints").
    """

    columns: Sequence[Column] = ()
    tensors: Sequence[Tensor] = ()
    params: Sequence[Param] = ()
    named: bool = True
    split_only: bool = False


class Model:
    """A model that MLflow has loaded; `lenient` takes tables in any form. Raises what MLflow raises."""

    def __init__(self, folder: Path, *, lenient: bool = False) -> None:
        self._model = mlflow.pyfunc.load_model(str(folder))
        metadata = self._model.metadata
        signature = _signature(metadata)
        self.signature = replace(signature, split_only=signature.split_only and not lenient)
        self.example = _example(metadata, folder)
        if self.signature.columns:
            # A table comes here as the signature says, or not at all: `read_table` is stricter than MLflow, whose look
            # at it would take a quarter of the time of a small prediction.
            _leave_inputs_unchecked(metadata)

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Return the model's predictions."""
        return self._model.predict(data, params=params) if params else self._model.predict(data)


def _signature(metadata: Any) -> Signature:
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
        if isinstance(spec.type, DataType) and spec.type.name in RULES
    ]
    if len(columns) < len(inputs.inputs):
        return Signature(params=params, split_only=named)
    return Signature(columns=columns, params=params, named=named, split_only=named)


def _example(metadata: Any, folder: Path) -> pd.DataFrame | None:
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
