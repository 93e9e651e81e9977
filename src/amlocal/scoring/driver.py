"""The whole of a batch job: list the files, deal them out to workers, put their lines together in order."""

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

from .chatter import Chatter
from .crew import Crew
from .errors import ScoringError
from .files import input_files, mini_batches, top_level
from .outcome import Outcome
from .scorer import preload
from .settings import Places, Settings, read
from .worker import start_process

if TYPE_CHECKING:
    from .worker import Start

_LOG = logging.getLogger("azureml")
_READ_HERE_ONLY = {".jsonl", ".ndjson", ".json"}


def main(environ: Mapping[str, str]) -> int:
    """Run the job that the environment variables describe; return its exit code."""
    settings, places = read(environ)
    logging.basicConfig(
        stream=sys.stdout, level=settings.logging_level.upper(), format="%(levelname)s:%(name)s:%(message)s"
    )
    try:
        outcome = score(settings, places)
    except ScoringError as error:
        sys.stdout.flush()
        print(error, file=sys.stderr)  # noqa: T201 - the log's last line is the job's error
        return 1
    _LOG.info("%s", outcome.summary())
    return 0


def score(settings: Settings, places: Places, *, start: Start | None = None) -> Outcome:
    """Score every file and write the output. Raises `ScoringError` when the job cannot go on.

    `start` is how a worker is started, as a process of its own unless it is given.
    """
    files = _files(settings, places.data)
    if not files:
        raise ScoringError(f"There is no file to score in the input {places.data.name}.")
    batches = list(mini_batches(files, settings.mini_batch_size))
    # What a scoring script reads; workers inherit it.
    os.environ["AZUREML_MODEL_DIR"] = str(places.model.parent)
    os.environ["AZUREML_BI_OUTPUT_PATH"] = str(places.output)
    preload(settings)
    with tempfile.TemporaryDirectory(prefix="parts-", dir=places.output.parent) as parts:
        outcome = Outcome(settings.error_threshold, _output_file(settings, places))
        chatter = Chatter(sys.stdout.buffer)
        start = start or partial(start_process, settings, places, chatter.writer)
        Crew(settings, places.data, chatter, start).run(batches, Path(parts), outcome)
    outcome.check()
    return outcome


def _files(settings: Settings, data: Path) -> list[Path]:
    """Return the files of the job. Says what is another matter on Azure."""
    files = input_files(data)
    if settings.script is not None:
        _warn_of_script()
        return files
    scored = top_level(files, data)
    if len(scored) < len(files):
        _LOG.warning(
            "%d files in folders below the input are left out: for an MLflow model, Azure ML does not look there",
            len(files) - len(scored),
        )
    if strange := {file.suffix.lower() for file in scored} & _READ_HERE_ONLY:
        _LOG.warning("Azure ML reads tables from .csv, .parquet and .pqt alone, %s only here", ", ".join(strange))
    return scored


def _warn_of_script() -> None:
    if importlib.util.find_spec("azureml") is None or importlib.util.find_spec("azureml.core") is None:
        _LOG.warning("the environment lacks azureml-core, without which a scoring script does not run on Azure")


def _output_file(settings: Settings, places: Places) -> Path | None:
    if settings.output_file is None:
        return None
    file = places.output / settings.output_file
    file.touch()
    return file
