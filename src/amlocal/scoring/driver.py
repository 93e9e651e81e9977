"""The whole of a batch job: list the files, deal them out to workers, put their lines together in order."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .crew import Crew
from .errors import ScoringError
from .files import input_files, mini_batches
from .outcome import Outcome
from .scorer import preload
from .settings import Places, Settings, read

_LOG = logging.getLogger("azureml")


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


def score(settings: Settings, places: Places) -> Outcome:
    """Score every file and write the output. Raises `ScoringError` when the job cannot go on."""
    batches = list(mini_batches(input_files(places.data), settings.mini_batch_size))
    if not batches:
        raise ScoringError(f"There is no file in the input {places.data.name}.")
    # What a scoring script reads; workers inherit it.
    os.environ["AZUREML_MODEL_DIR"] = str(places.model.parent)
    os.environ["AZUREML_BI_OUTPUT_PATH"] = str(places.output)
    preload(settings)
    with tempfile.TemporaryDirectory(prefix="parts-", dir=places.output.parent) as parts:
        outcome = Outcome(settings.error_threshold, _output_file(settings, places))
        Crew(settings, places).run(batches, Path(parts), outcome)
    return outcome


def _output_file(settings: Settings, places: Places) -> Path | None:
    if settings.output_file is None:
        return None
    file = places.output / settings.output_file
    file.touch()
    return file
