"""Tables read in chunks with the types of the model's signature, and the lines that predictions become.

A line is `row,prediction,file`, without a header. That order is learn.microsoft.com's ("Deploy MLflow models in batch
deployments"), whose notebook reads the file by `pandas.read_csv` with those names; rows count from 0 in each file.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .batch_job import UnreadableFile

CHUNK_ROWS = 100_000
# MLflow's names of column types, and what a column of such a type is in pandas
_DTYPES = {
    "boolean": np.dtype(bool),
    "integer": np.dtype(np.int32),
    "long": np.dtype(np.int64),
    "float": np.dtype(np.float32),
    "double": np.dtype(np.float64),
}


@dataclass(frozen=True)
class Columns:
    """The columns that a model takes, by name: MLflow's type of each, and which it can do without.

    No types: the model does not say, and tables are read as pandas reads them.
    """

    types: Mapping[str, str]
    optional: frozenset[str] = frozenset()

    def choose(self, found: list[str]) -> list[str]:
        """Return those of the columns found that the model takes. Raises `UnreadableFile` when one is lacking."""
        lacking = [name for name in self.types if name not in found and name not in self.optional]
        if lacking:
            raise UnreadableFile(f"the column {', '.join(map(repr, lacking))} is missing; there are {', '.join(found)}")
        return [name for name in found if name in self.types] if self.types else found


def chunks(file: Path, columns: Columns, *, rows: int = CHUNK_ROWS) -> Iterator[pd.DataFrame]:
    """Yield a file's rows in order, at most `rows` at a time. Raises `UnreadableFile`, and what pandas raises."""
    read = _READERS.get(file.suffix.lower())
    if read is None:
        known = ", ".join(_READERS)
        raise UnreadableFile(f"File type '{file.suffix.lstrip('.')}' is not supported; known are {known}.")
    return read(file, columns, rows)


def _csv(file: Path, columns: Columns, rows: int) -> Iterator[pd.DataFrame]:
    wanted = columns.choose(list(pd.read_csv(file, nrows=0).columns))
    dtypes: dict[Hashable, Any] = {
        name: _DTYPES.get(kind, str) for name, kind in columns.types.items() if name in wanted
    }
    # All columns are read, since pandas does not count the values of a row when it is told which it shall keep.
    with pd.read_csv(file, dtype=dtypes, chunksize=rows) as reader:
        for chunk in reader:
            if not isinstance(chunk.index, pd.RangeIndex):  # pandas took the values before the last ones for an index
                raise UnreadableFile("its rows hold more values than its header has columns")
            yield _typed(chunk[wanted], columns)


def _parquet(file: Path, columns: Columns, rows: int) -> Iterator[pd.DataFrame]:
    from pyarrow import parquet  # noqa: PLC0415 - seconds that CSV need not wait

    with parquet.ParquetFile(file) as source:
        wanted = columns.choose(list(source.schema_arrow.names))
        for batch in source.iter_batches(batch_size=rows, columns=wanted):
            yield _typed(batch.to_pandas(), columns)


def _json_lines(file: Path, columns: Columns, rows: int) -> Iterator[pd.DataFrame]:
    with pd.read_json(file, lines=True, chunksize=rows, dtype=False, convert_dates=False) as reader:
        for chunk in reader:
            yield _typed(chunk[columns.choose(list(chunk.columns))], columns)


_READERS: Mapping[str, Callable[[Path, Columns, int], Iterator[pd.DataFrame]]] = {
    ".csv": _csv,
    ".parquet": _parquet,
    ".pqt": _parquet,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json_lines,
}


def _typed(frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    changed = {
        str(name): _cast(frame[name], columns.types[str(name)]) for name in frame.columns if str(name) in columns.types
    }
    same = all(changed[name] is frame[name] or changed[name].dtype == frame[name].dtype for name in changed)
    return frame if same else frame.assign(**changed)


def _cast(column: pd.Series[Any], kind: str) -> pd.Series[Any]:
    """Return a column as MLflow's type `kind`. Raises `UnreadableFile` where a value would have to change."""
    if kind == "datetime":
        return pd.to_datetime(column)
    wanted = _DTYPES.get(kind)
    if wanted is None or column.dtype == wanted:
        return column
    try:
        cast = column.astype(wanted)
    except (TypeError, ValueError) as error:
        raise UnreadableFile(f"the column '{column.name}' cannot be read as {kind}: {error}") from error
    if wanted.kind in "ib" and not bool((cast == column).all()):
        raise UnreadableFile(f"the column '{column.name}' holds values that are not of type {kind}")
    return cast


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
