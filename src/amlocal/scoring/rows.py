"""The lines that an MLflow model's predictions become: `row,prediction,file`, without a header.

That order is learn.microsoft.com's ("Deploy MLflow models in batch deployments"), whose notebook reads the file by
`pandas.read_csv` with those names; rows count from 0 in each input file.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd


def prediction_lines(predictions: Any, *, first_row: int, file: str) -> bytes:
    """Return a line for each prediction; rows count from `first_row`."""
    values = _texts(predictions)
    end = f",{_quoted([file])}\n"
    return "".join([f"{row},{value}{end}" for row, value in enumerate(values, first_row)]).encode()


def count(predictions: Any) -> int:
    """Return how many rows a model has answered."""
    return len(predictions)


def _texts(predictions: Any) -> Iterable[object]:
    """Return each prediction as it stands in a CSV field."""
    if isinstance(predictions, pd.DataFrame) and predictions.shape[1] == 1:
        predictions = predictions.iloc[:, 0]
    if isinstance(predictions, pd.DataFrame):
        return [_field(record) for record in predictions.to_dict("records")]
    values = np.asarray(predictions) if isinstance(predictions, pd.Series) else predictions
    if isinstance(values, np.ndarray) and values.ndim == 1 and (values.dtype.kind in "iub" or values.dtype == "f8"):
        return list(values.tolist())  # plain numbers need no quotes, and there may be millions
    return [_field(value) for value in values]


def _field(value: Any) -> str:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return _quoted([json.dumps(value, default=str) if isinstance(value, (list, dict)) else value])


def _quoted(fields: Sequence[object]) -> str:
    text = io.StringIO()
    end = "\r\n"  # so that fields which hold either are quoted
    csv.writer(text, lineterminator=end).writerow(fields)
    return text.getvalue()[: -len(end)]
