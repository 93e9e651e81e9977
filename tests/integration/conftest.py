"""The workspace as training and deployment left it, seen through azure-ai-ml and MLflow alone: as on Azure."""

import csv
import io
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from mlgates import AssetVersion, Lineage, ModelContract, PyfuncScorer, read_contract

if TYPE_CHECKING:  # pytest loads this file before it takes the warnings that importing it makes for known
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import Job, Model
    from mlflow import MlflowClient


@pytest.fixture(scope="session")
def model(mlgates_workspace: "MLClient", mlgates_candidate: AssetVersion) -> "Model":
    """The candidate, as azure-ai-ml tells of it."""
    return cast("Model", mlgates_workspace.models.get(mlgates_candidate.name, mlgates_candidate.version))


@pytest.fixture(scope="session")
def job(mlgates_workspace: "MLClient", mlgates_lineage: Lineage) -> "Job":
    """The job that made the model."""
    return cast("Job", mlgates_workspace.jobs.get(mlgates_lineage.job))


@pytest.fixture(scope="session")
def tracking(mlgates_workspace: "MLClient") -> "MlflowClient":
    """The workspace's MLflow."""
    import mlflow  # noqa: PLC0415

    return mlflow.MlflowClient(mlgates_workspace.workspaces.get(mlgates_workspace.workspace_name).mlflow_tracking_uri)


@pytest.fixture(scope="session")
def downloaded(
    mlgates_workspace: "MLClient", mlgates_candidate: AssetVersion, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The model's folder, as azure-ai-ml downloads it."""
    from mlgates import download_model  # noqa: PLC0415

    return download_model(mlgates_workspace, mlgates_candidate, tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def contract(downloaded: Path) -> ModelContract:
    """What the model promises."""
    return read_contract(downloaded)


@pytest.fixture(scope="session")
def in_process(downloaded: Path, contract: ModelContract) -> PyfuncScorer:
    """The registered model, predicting in this process."""
    return PyfuncScorer(downloaded, contract)


@pytest.fixture(scope="session")
def rows(contract: ModelContract) -> "list[tuple[float, ...]]":
    """Patients that nobody measured, some hundreds, a value for each column of the model."""
    from diabetes_dataset import stand_in  # noqa: PLC0415

    table = csv.DictReader(io.StringIO(stand_in.content().decode()))
    return [tuple(float(row[name]) for name in contract.names) for row in islice(table, 300)]
