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


def test_its_lineage_is_complete(lineage: Lineage) -> None:
    facts = lineage.to_tags()
    assert {name for name, fact in facts.items() if fact in {"", "unknown"}} <= {"git_commit"}


def test_its_metrics_are_those_of_its_run(tracking: MlflowClient, lineage: Lineage) -> None:
    measured = tracking.get_run(lineage.job).data.metrics
    assert {"accuracy", "auc"} <= lineage.metrics.keys()
    assert lineage.metrics.items() <= measured.items()


def test_it_is_stored_among_the_artifacts_of_its_job(model: Model, lineage: Lineage) -> None:
    assert lineage.job in str(model.path)


def test_mlflow_and_azure_ml_hold_the_same_model(
    tracking: MlflowClient, lineage: Lineage, settings: Settings, downloaded: Path, tmp_path: Path
) -> None:
    there = Path(tracking.download_artifacts(lineage.job, settings.model_path, str(tmp_path)))
    assert files_of(there) == files_of(downloaded)


def test_the_job_and_the_registry_hold_the_same_model(
    workspace: MLClient, lineage: Lineage, settings: Settings, downloaded: Path, tmp_path: Path
) -> None:
    workspace.jobs.download(lineage.job, download_path=tmp_path)
    assert files_of(tmp_path / "artifacts" / settings.model_path) == files_of(downloaded)


def test_it_predicts_a_class_for_every_patient_of_the_sample(downloaded: Path, settings: Settings) -> None:
    served = mlflow.pyfunc.load_model(str(downloaded))
    schema = served.metadata.get_input_schema()
    types = dict(zip(schema.input_names(), schema.pandas_types(), strict=True))
    # Read as scoring servers read: CSV says nothing of types, and MLflow takes no integer where a double is due.
    sample = pd.read_csv(settings.project.root / settings.batch_sample_request, dtype=types)
    predictions = served.predict(sample)
    assert len(predictions) == len(sample)
    assert set(predictions) <= {0, 1}


def test_registering_its_job_again_gives_the_same_version(
    workspace: MLClient, settings: Settings, model: Model, lineage: Lineage
) -> None:
    again = register_job_model(workspace, settings, lineage.job, progress=Silent())
    assert (again.version, again.created) == (model.version, False)


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
