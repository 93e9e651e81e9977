"""A model that answers what it was given, to the last bit, as a text a row; MLflow takes this file as its loader."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd


class Echo:
    """What reaches the model otherwise than it was sent, in value, type, place or parameters, shows in the answer."""

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> list[str]:
        suffix = "" if not params else f" with {sorted(params.items())}"
        return [f"{row}{suffix}" for row in _rows(data)]


def _load_pyfunc(path: str) -> Echo:
    return Echo()


def _rows(data: Any) -> list[str]:
    if isinstance(data, pd.DataFrame):
        types = [(str(name), str(kind)) for name, kind in data.dtypes.items()]
        return [
            f"{[(*one, repr(value)) for one, value in zip(types, row, strict=True)]}" for row in data.to_numpy(object)
        ]
    if isinstance(data, Mapping):
        columns = {name: _rows(array) for name, array in sorted(data.items())}
        return [f"{dict(zip(columns, row, strict=True))}" for row in zip(*columns.values(), strict=True)]
    return [f"{data.dtype} {row.tolist()}" for row in np.asarray(data)]
