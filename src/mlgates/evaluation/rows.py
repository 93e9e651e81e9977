"""Rows that a model was not trained on, typed by its signature."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlgates.contract.signature import INTEGERS, LARGEST, Column, DataType, ModelContract
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.target import NO_TARGET, EvaluationConfig, Labels, Target, Task

_BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
_DTYPES: dict[DataType, Any] = {
    DataType.BOOLEAN: np.bool_,
    DataType.INTEGER: np.int32,
    DataType.LONG: np.int64,
    DataType.FLOAT: np.float32,
    DataType.DOUBLE: np.float64,
}


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that a model was not trained on: `features` as the signature has them, and the `labels` of the same rows."""

    features: pd.DataFrame
    labels: Labels = field(default_factory=lambda: np.empty(0))
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)
    """The same rows with every column of the data, those that are no feature among them."""
    target: Target = NO_TARGET
    """What the labels are; without labels, nothing."""
    weights: npt.NDArray[np.float64] | None = None
    """Of each row, where declared."""

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.features)

    def take(self, numbers: npt.NDArray[np.int64]) -> "Rows":
        """Return the rows of these numbers."""
        return Rows(
            self.features.iloc[numbers],
            self.labels[numbers] if len(self.labels) else self.labels,
            self.rows.iloc[numbers] if len(self.rows) else self.rows,
            self.target,
            None if self.weights is None else self.weights[numbers],
        )


def rows_of(drawn: pd.DataFrame, target: Target, contract: ModelContract, config: EvaluationConfig) -> Rows:
    """Return the rows `drawn` from a table as features of the model's signature, and encoded labels.

    Raises `CouldNotRun`, with the column, for what is not there or not of its type.
    """
    labels: Labels = np.empty(0)
    if target.task is not Task.NONE:
        if config.label not in drawn:
            raise CouldNotRun(f"the data has no column {config.label}", remedy="name the label in gates.yml")
        labels = target.encode(drawn[config.label], f"label {config.label}")
    if target.task is not Task.NONE and contract.named and config.label in contract.names:
        raise CouldNotRun(
            f"the model takes its own label {config.label} as a feature, and would be told what it is to predict",
            remedy="leave the label out of the training features",
        )
    left_out = {config.label, config.weights}
    return Rows(features_of(drawn, contract, left_out), labels, drawn, target, _weights(drawn, config))


def features_of(table: pd.DataFrame, contract: ModelContract, left_out: set[str]) -> pd.DataFrame:
    """Return the columns of the signature, in its order and types; an unnamed signature takes all but `left_out`."""
    if not contract.named or contract.tensors:
        return _by_place(table, contract, left_out)
    missing = [each.name for each in contract.columns if each.name not in table and each.required]
    if missing:
        raise CouldNotRun(
            f"the data has no column {', '.join(missing)}, which the model's signature requires",
            remedy="was the model trained on the data that its tags name?",
        )
    chosen = [each for each in contract.columns if each.name in table]
    return pd.DataFrame({each.name: typed(table[each.name], each) for each in chosen}, index=table.index)


def _by_place(table: pd.DataFrame, contract: ModelContract, left_out: set[str]) -> pd.DataFrame:
    columns = [name for name in table.columns if name not in left_out]
    if contract.tensors:
        shapes = [tensor.row_shape for tensor in contract.tensors]
        if len(shapes) != 1 or len(shapes[0]) != 1 or shapes[0][0] not in {-1, len(columns)}:
            raise CouldNotRun(
                f"the signature takes tensors of shape {shapes}, and the data has {len(columns)} columns of features",
                remedy="save the model with a signature of named columns",
            )
        try:
            return table[columns].astype(np.dtype(contract.tensors[0].dtype))
        except (ValueError, TypeError) as error:
            raise CouldNotRun(
                f"the signature takes a tensor of {contract.tensors[0].dtype}, and the data holds other: {error}",
                remedy="save the model with a signature of named columns",
            ) from error
    if len(columns) != len(contract.columns):
        raise CouldNotRun(
            f"the signature has {len(contract.columns)} columns without names, and the data {len(columns)}",
            remedy="save the model with a signature of named columns",
        )
    pairs = zip(columns, contract.columns, strict=True)
    return pd.DataFrame({int(each.name): typed(table[name], each) for name, each in pairs}, index=table.index)


def typed(column: pd.Series, wanted: Column) -> pd.Series:
    """Return a column in the type of the signature. Raises `CouldNotRun` with the first value that is of another."""
    match wanted.type:
        case DataType.STRING:
            return column.map(_text, na_action="ignore").astype(object)
        case DataType.BOOLEAN:
            return _whole(column, column.map(lambda value: _BOOLEANS.get(str(value).lower(), value)), wanted)
        case DataType.DATETIME:
            if pd.api.types.is_numeric_dtype(column):
                raise CouldNotRun(
                    f"column {wanted.name} holds numbers, and the signature says {wanted.type}",
                    remedy="write dates as 2026-01-31: whether a number counts days or milliseconds nobody can tell",
                )
            moments = pd.to_datetime(column, errors="coerce", format="ISO8601", utc=True)
            _refuse(column, moments.isna() & column.notna(), wanted)
            return moments.dt.tz_localize(None)
        case DataType.BINARY:
            return column
    numbers = pd.to_numeric(column, errors="coerce")
    _refuse(column, numbers.isna() & column.notna(), wanted)
    if wanted.type.whole:
        return _whole(column, numbers, wanted)
    return _cast(numbers, wanted)


def _text(value: Any) -> str:
    """Return a value as text; a whole number that a missing neighbour made a float as it was written."""
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return str(int(value))
    return str(value)


def _whole(column: pd.Series, values: pd.Series, wanted: Column) -> pd.Series:
    if values.isna().any():
        raise CouldNotRun(
            f"column {wanted.name} misses values, and the signature says {wanted.type}, which cannot",
            remedy="train on data with such gaps, so that the signature allows for them, or fill them in the data",
        )
    odd = values % 1 != 0 if wanted.type.whole else values.map(lambda value: not isinstance(value, bool))
    _refuse(column, odd, wanted)
    return _cast(values, wanted)


def _cast(values: pd.Series, wanted: Column) -> pd.Series:
    limits = INTEGERS.get(wanted.type) or (
        (-LARGEST[wanted.type], LARGEST[wanted.type]) if wanted.type in LARGEST else None
    )
    if limits:
        _refuse(values, (values < limits[0]) | (values > limits[1]), wanted)
    cast: pd.Series = values.astype(_DTYPES[wanted.type])
    return cast


def _refuse(column: pd.Series, odd: pd.Series, wanted: Column) -> None:
    if odd.any():
        place = int(np.flatnonzero(odd.to_numpy())[0])
        raise CouldNotRun(
            f"column {wanted.name}, row {place + 1}: {column.iloc[place]!r} is no {wanted.type}, as the signature says",
            remedy="mend the data, or train on it as it is",
        )


def _weights(drawn: pd.DataFrame, config: EvaluationConfig) -> npt.NDArray[np.float64] | None:
    if not config.weights:
        return None
    if config.weights not in drawn:
        raise CouldNotRun(f"the data has no column {config.weights}", remedy="correct evaluation.weights")
    weights = pd.to_numeric(drawn[config.weights], errors="coerce").to_numpy(dtype=np.float64)
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0):
        raise CouldNotRun(f"the weights in {config.weights} must be numbers of 0 and more", remedy="mend the data")
    return weights
