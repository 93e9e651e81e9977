"""What a batch job was asked to do, as the workspace hands it over in the job's environment variables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "AMLOCAL_BATCH_SCORING"  # JSON: the fields of `Settings`


@dataclass(frozen=True)
class Settings:
    """The settings of a deployment, those of the call that overrode them included.

    `mini_batch_size` counts files, `workers` processes (instances times concurrency on each), `timeout_s` holds for
    one call of `run`. An `error_threshold` of -1 lets any number of files fail. Without `output_file` no rows are
    kept (`summary_only`); without `script` the model is an MLflow model that is called as it is.
    """

    mini_batch_size: int
    workers: int
    max_retries: int
    timeout_s: float
    error_threshold: int
    logging_level: str
    output_file: str | None
    script: str | None


@dataclass(frozen=True)
class Places:
    """Where the model (a file or folder), the data (a file or folder) and the output (a folder) of the job are."""

    model: Path
    data: Path
    output: Path


def read(environ: Mapping[str, str]) -> tuple[Settings, Places]:
    """Return settings and places of the job whose environment variables these are."""
    places = Places(
        model=Path(environ["AZURE_ML_INPUT_model"]),
        data=Path(environ["AZURE_ML_INPUT_data"]),
        output=Path(environ["AZURE_ML_OUTPUT_score"]),
    )
    return Settings(**json.loads(environ[VARIABLE])), places
