"""How an experiment is recorded in MLflow, in the part of MLflow that Azure ML's tracking server speaks.

That server has no logged-models API: `log_model`, and autologging with models, end in a 404 there. So a model is
saved to a folder, and the folder logged as artifacts.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import mlflow
import mlflow.sklearn
import pandas as pd
from mlflow.exceptions import MlflowException

from diabetes import figures, saving
from diabetes.errors import TrackingError
from diabetes.split import Split
from diabetes.training import Outcome, Settings, train

HELD_OUT: Final = "held_out.json"
"""The artifact that names the rows of the test set."""


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """Where an experiment is recorded."""

    run_id: str
    experiment_id: str
    tracking_uri: str
    model_uri: str
    """What `mlflow.pyfunc.load_model` takes."""


def track(patients: pd.DataFrame, settings: Settings, *, model_path: str) -> tuple[Outcome, TrackedRun]:
    """Train within an MLflow run, and log parameters, metrics, figures, and the model under artifact path `model_path`.

    The run is the one that `MLFLOW_RUN_ID` names, as in an Azure ML job, else a new one; it fails when training does.
    Raises `TrackingError` when MLflow refuses something, and what `train` raises.
    """
    try:
        with _autologging(), mlflow.start_run() as run:
            outcome = train(patients, settings)
            _log(outcome, settings, model_path)
    except MlflowException as error:
        reason = " ".join(str(error).split())
        raise TrackingError(f"MLflow at {mlflow.get_tracking_uri()}: {reason}") from error
    return outcome, TrackedRun(
        run_id=run.info.run_id,
        experiment_id=run.info.experiment_id,
        tracking_uri=mlflow.get_tracking_uri(),
        model_uri=f"runs:/{run.info.run_id}/{model_path}",
    )


def held_out_rows(parts: Split) -> dict[str, object]:
    """Return which rows the model was judged on, by their number in the data file, the first row after the header 0.

    The gates judge it on the same rows: the numbers are logged, and not the rows, which are records of people.
    """
    return {"rows": sorted(int(row) for row in parts.test.features.index), "of": len(parts.train) + len(parts.test)}


@contextmanager
def _autologging() -> Iterator[None]:
    """Let MLflow log the estimator's parameters and how it fits its training set, and nothing that Azure ML refuses."""
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, log_post_training_metrics=False, pos_label=1)
    try:
        yield
    finally:
        mlflow.sklearn.autolog(disable=True)


def _log(outcome: Outcome, settings: Settings, model_path: str) -> None:
    train_rows, test_rows = len(outcome.split.train), len(outcome.split.test)
    mlflow.log_params(
        {
            "estimator": settings.estimator,
            "seed": settings.seed,
            "split_seed": settings.split_seed,
            "test_size": settings.test_size,
            "train_rows": train_rows,
            "test_rows": test_rows,
            "rows": train_rows + test_rows,
        }
    )
    mlflow.log_metrics(outcome.metrics.as_dict())
    mlflow.log_dict(outcome.metrics.as_dict(), "metrics.json")
    mlflow.log_dict(held_out_rows(outcome.split), HELD_OUT)
    for name, figure in figures.draw(outcome.predictions).items():
        mlflow.log_figure(figure, name)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "model")
        saving.save(outcome.model, folder)
        mlflow.log_artifacts(str(folder), model_path)
