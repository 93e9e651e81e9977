"""The registered model: with its lineage, the same through every door, and able to predict."""

from pathlib import Path

import mlflow
import pandas as pd
import pytest
from azure.ai.ml import MLClient
from azure.ai.ml.entities import Model
from mlflow import MlflowClient

from mlgates import Lineage, Settings, Silent, register_job_model

# MLflow says so of its own type hints, when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning")


def test_it_is_an_mlflow_model(model: Model) -> None:
    assert model.type == "mlflow_model"


def test_its_lineage_is_complete(mlgates_lineage: Lineage) -> None:
    facts = mlgates_lineage.to_tags()
    assert {name for name, fact in facts.items() if fact in {"", "unknown"}} <= {"git_commit"}


def test_its_metrics_are_those_of_its_run(tracking: MlflowClient, mlgates_lineage: Lineage) -> None:
    measured = tracking.get_run(mlgates_lineage.job).data.metrics
    assert {"accuracy", "auc"} <= mlgates_lineage.metrics.keys()
    assert mlgates_lineage.metrics.items() <= measured.items()


def test_it_is_stored_among_the_artifacts_of_its_job(model: Model, mlgates_lineage: Lineage) -> None:
    assert mlgates_lineage.job in str(model.path)


def test_mlflow_and_azure_ml_hold_the_same_model(
    tracking: MlflowClient, mlgates_lineage: Lineage, mlgates_settings: Settings, downloaded: Path, tmp_path: Path
) -> None:
    there = Path(tracking.download_artifacts(mlgates_lineage.job, mlgates_settings.model_path, str(tmp_path)))
    assert files_of(there) == files_of(downloaded)


def test_the_job_and_the_registry_hold_the_same_model(
    mlgates_workspace: MLClient, mlgates_lineage: Lineage, mlgates_settings: Settings, downloaded: Path, tmp_path: Path
) -> None:
    mlgates_workspace.jobs.download(mlgates_lineage.job, download_path=tmp_path)
    assert files_of(tmp_path / "artifacts" / mlgates_settings.model_path) == files_of(downloaded)


def test_it_predicts_a_class_for_every_patient_of_the_sample(downloaded: Path, mlgates_settings: Settings) -> None:
    served = mlflow.pyfunc.load_model(str(downloaded))
    schema = served.metadata.get_input_schema()
    types = dict(zip(schema.input_names(), schema.pandas_types(), strict=True))
    # Read as scoring servers read: CSV says nothing of types, and MLflow takes no integer where a double is due.
    sample = pd.read_csv(mlgates_settings.project.root / mlgates_settings.batch_sample_request, dtype=types)
    predictions = served.predict(sample)
    assert len(predictions) == len(sample)
    assert set(predictions) <= {0, 1}


def test_registering_its_job_again_gives_the_same_version(
    mlgates_workspace: MLClient, mlgates_settings: Settings, model: Model, mlgates_lineage: Lineage
) -> None:
    again = register_job_model(mlgates_workspace, mlgates_settings, mlgates_lineage.job, progress=Silent())
    assert (again.version, again.created) == (model.version, False)


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
