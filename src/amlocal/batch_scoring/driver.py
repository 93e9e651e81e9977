"""The whole of a batch job: list the files, hand them to workers, write their lines in order."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .batch_job import BatchPaths, BatchSettings, ScoringError, input_files, mini_batches, read, top_level
from .worker import start_process
from .worker_pool import BatchOutcome, OutputCapture, WorkerPool

_LOG = logging.getLogger("azureml")
_LOCAL_ONLY_FORMATS = {".jsonl", ".ndjson", ".json"}
if TYPE_CHECKING:
    from .worker import StartWorker


def main(environ: Mapping[str, str]) -> int:
    """Run the job that the environment variables describe; return its exit code."""
    settings, paths = read(environ)
    logging.basicConfig(
        stream=sys.stdout, level=settings.logging_level.upper(), format="%(levelname)s:%(name)s:%(message)s"
    )
    try:
        outcome = score(settings, paths)
    except ScoringError as error:
        sys.stdout.flush()
        print(error, file=sys.stderr)  # noqa: T201 - the log's last line is the job's error
        return 1
    _LOG.info("%s", outcome.summary())
    return 0


def score(settings: BatchSettings, paths: BatchPaths, *, start: StartWorker | None = None) -> BatchOutcome:
    """Score every file and write the output. Raises `ScoringError` when the job cannot go on.

    `start` is how a worker is started, as a process of its own unless it is given.
    """
    files = _files(settings, paths.data)
    if not files:
        raise ScoringError(f"There is no file to score in the input {paths.data.name}.")
    batches = list(mini_batches(files, settings.mini_batch_size))
    # What a scoring script reads; workers inherit it.
    os.environ["AZUREML_MODEL_DIR"] = str(paths.model.parent)
    os.environ["AZUREML_BI_OUTPUT_PATH"] = str(paths.output)
    preload(settings)
    with tempfile.TemporaryDirectory(prefix="parts-", dir=paths.output.parent) as parts:
        outcome = BatchOutcome(settings.error_threshold, _output_file(settings, paths))
        capture = OutputCapture(sys.stdout.buffer)
        start = start or partial(start_process, settings, paths, capture.writer)
        WorkerPool(settings, paths.data, capture, start).run(batches, Path(parts), outcome)
    outcome.check()
    return outcome


def _files(settings: BatchSettings, data: Path) -> list[Path]:
    """Return the files of the job. Says what is another matter on Azure."""
    files = input_files(data)
    if settings.script is not None:
        _warn_of_missing_azureml()
        return files
    scored = top_level(files, data)
    if len(scored) < len(files):
        _LOG.warning(
            "%d files in folders below the input are left out: for an MLflow model, Azure ML does not look there",
            len(files) - len(scored),
        )
    if strange := {file.suffix.lower() for file in scored} & _LOCAL_ONLY_FORMATS:
        _LOG.warning("Azure ML reads tables from .csv, .parquet and .pqt alone, %s only here", ", ".join(strange))
    return scored


def _warn_of_missing_azureml() -> None:
    if importlib.util.find_spec("azureml") is None or importlib.util.find_spec("azureml.core") is None:
        _LOG.warning("the environment lacks azureml-core, without which a scoring script does not run on Azure")


def _output_file(settings: BatchSettings, paths: BatchPaths) -> Path | None:
    if settings.output_file is None:
        return None
    file = paths.output / settings.output_file
    file.touch()
    return file


def preload(settings: BatchSettings) -> None:
    """Import what every worker will need, once for all of them where they are forked."""
    if settings.script is None:
        import mlflow.pyfunc  # noqa: F401, PLC0415
