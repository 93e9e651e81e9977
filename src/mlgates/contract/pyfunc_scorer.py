"""The model itself as a scorer: MLflow's pyfunc behind the contract's own reading of requests."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlgates.contract.scoring_requests import RequestRefused, parse
from mlgates.contract.signature import Batch, DataType, ModelContract
from mlgates.endpoint_client import JSON_HEADERS, Json, ScoringResponse

_DTYPES = {
    DataType.BOOLEAN: "bool",
    DataType.INTEGER: "int32",
    DataType.LONG: "int64",
    DataType.FLOAT: "float32",
    DataType.DOUBLE: "float64",
    DataType.STRING: "object",
    DataType.BINARY: "object",
    DataType.DATETIME: "datetime64[ns]",
}


class PyfuncScorer:
    """Answers as a deployment must, without HTTP and without a process of its own."""

    def __init__(self, folder: Path, contract: ModelContract) -> None:
        # Here, since it takes seconds that those who only read contracts need not wait.
        import mlflow.pyfunc  # noqa: PLC0415

        self._model = mlflow.pyfunc.load_model(str(folder))
        self._contract = contract

    def score(self, body: bytes, headers: Mapping[str, str]) -> ScoringResponse:
        """Answer 200 with a bare JSON list, or the status of the refusal with `{"message": ...}`."""
        try:
            batch = parse(self._contract, body, headers)
        except RequestRefused as refusal:
            return ScoringResponse(refusal.status, json.dumps({"message": str(refusal)}).encode(), JSON_HEADERS)
        return ScoringResponse(200, json.dumps(self.predict(batch)).encode(), JSON_HEADERS)

    def predict(self, batch: Batch) -> Json:
        """Return the predictions of `predict` for the whole batch, as Azure ML writes them in JSON."""
        from mlflow.utils.proto_json_utils import NumpyEncoder, _get_jsonable_obj  # noqa: PLC0415

        raw = self._model.predict(to_input(self._contract, batch), params=dict(batch.params) or None)
        # The function with which both MLflow's server and Azure ML's scoring script turn an answer into JSON.
        listed = _get_jsonable_obj(raw, pandas_orient="records")  # type: ignore[no-untyped-call]  # MLflow's own
        predictions: Json = json.loads(json.dumps(listed, cls=NumpyEncoder))
        return predictions


def to_input(contract: ModelContract, batch: Batch) -> Any:
    """Return the batch in the types of the signature: a frame for columns, an array or a dictionary for tensors.

    A server casts what JSON says (2 and 2.0 are one number) to the declared type before it predicts; `pyfunc` by
    itself refuses 64-bit integers where it wants doubles.
    """
    if contract.tensors:
        arrays = {
            tensor.name: np.array([row[place] for row in batch.rows], dtype=tensor.dtype)
            for place, tensor in enumerate(contract.tensors)
        }
        return arrays if contract.named else arrays[""]
    types = {column.name: column.type for column in contract.columns}
    values = {name: [row[place] for row in batch.rows] for place, name in enumerate(batch.names)}
    frame = {name: pd.Series(_decoded(values[name], types[name]), dtype=_DTYPES[types[name]]) for name in values}
    return pd.DataFrame({name if contract.named else int(name): series for name, series in frame.items()})


def _decoded(values: list[Json], data_type: DataType) -> list[Any]:
    match data_type:
        case DataType.BINARY:
            return [None if value is None else base64.b64decode(str(value)) for value in values]
        case DataType.DATETIME:
            return [pd.NaT if value is None else pd.Timestamp(str(value)) for value in values]
    return list(values)
