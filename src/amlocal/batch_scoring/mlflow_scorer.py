"""Scores tables with an MLflow model, as Azure ML does when a deployment has no scoring script."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import mlflow.pyfunc
from mlflow.models import Model
from mlflow.types import ColSpec

from .batch_job import BatchPaths, MiniBatchResult, UnreadableFile, display_name, reason_of
from .tables import Columns, chunks, count, prediction_lines

_LOG = logging.getLogger("azureml")


def signature_columns(model: Model) -> Columns:
    """Return the columns of a model's signature; none when it has no signature, or one without names."""
    schema = model.get_input_schema()  # type: ignore[no-untyped-call]
    specs = [spec for spec in schema.inputs if isinstance(spec, ColSpec) and spec.name] if schema else []
    types = {str(spec.name): str(getattr(spec.type, "name", spec.type)) for spec in specs}
    return Columns(types, frozenset(str(spec.name) for spec in specs if not spec.required))


class MlflowScorer:
    """A loaded MLflow model."""

    def __init__(self, model: Any, columns: Columns, data: Path, *, keep_rows: bool) -> None:
        self._model = model
        self._columns = columns
        self._data = data
        self._keep_rows = keep_rows

    @classmethod
    def load(cls, paths: BatchPaths, *, keep_rows: bool) -> MlflowScorer:
        """Return the scorer of a job's model."""
        model = mlflow.pyfunc.load_model(str(paths.model))
        return cls(model, signature_columns(model.metadata), paths.data, keep_rows=keep_rows)

    def run(self, files: Sequence[Path], part: Path) -> MiniBatchResult:
        """Score the files one by one. A file that fails leaves no line behind, and does not stop the others."""
        rows, failed = 0, {}
        with part.open("wb") as sink:
            for file in files:
                start = sink.tell()
                try:
                    rows += self._score(file, sink)
                except Exception as error:  # noqa: BLE001 - whatever a reader or a model raises is that file's failure
                    sink.seek(start)
                    sink.truncate()
                    name = display_name(file, self._data)
                    failed[name] = reason_of(error)
                    _LOG.error("Error processing input file: '%s'. %s", name, failed[name])
        return MiniBatchResult(rows, failed)

    def _score(self, file: Path, sink: BinaryIO) -> int:
        rows, name = 0, display_name(file, self._data)
        for chunk in chunks(file, self._columns):
            predictions = self._model.predict(chunk)
            if count(predictions) != len(chunk):
                raise UnreadableFile(f"the model answered {count(predictions)} predictions to {len(chunk)} rows")
            if self._keep_rows:
                sink.write(prediction_lines(predictions, first_row=rows, file=name))
            rows += len(chunk)
        return rows
