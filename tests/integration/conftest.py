"""The workspace as training left it, seen through azure-ai-ml and MLflow alone: no test can tell local from Azure."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from mlgates.config.settings import Settings
from mlgates.core.events import Event
from mlgates.core.lineage import Lineage

if TYPE_CHECKING:  # pytest loads this file before it takes the warnings that importing it makes for known
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import Job, Model
    from mlflow import MlflowClient


class Silent:
    def tell(self, event: Event) -> None:
        """Say nothing: the test report says what failed."""


@pytest.fixture(scope="session")
def fresh(pytestconfig: pytest.Config) -> bool:
    """True when the workspace is this run's own; one that was named with `--env` is looked at and left as it is."""
    return pytestconfig.getoption("--env") is None


@pytest.fixture(scope="session")
def model(workspace: "MLClient", settings: Settings, fresh: bool) -> "Model":
    """The newest version of the model; a fresh workspace is trained first."""
    from mlgates.delivery.source import source_state  # noqa: PLC0415
    from mlgates.delivery.train import TrainingRequest, train_and_register  # noqa: PLC0415
    from mlgates.reports.console import listen  # noqa: PLC0415

    if fresh:
        request = TrainingRequest(source_state(settings.project.root, os.environ))
        listen(train_and_register(workspace, settings, request), Silent())
    newest = next(iter(workspace.models.list(name=settings.model_name)), None)
    if newest is None:
        pytest.fail(f"{settings.environment} holds no version of {settings.model_name}: run 'mlgates train --register'")
    return cast("Model", newest)


@pytest.fixture(scope="session")
def lineage(model: "Model") -> Lineage:
    return Lineage.from_tags(model.tags or {})


@pytest.fixture(scope="session")
def job(workspace: "MLClient", lineage: Lineage) -> "Job":
    """The job that made the model."""
    return cast("Job", workspace.jobs.get(lineage.job))


@pytest.fixture(scope="session")
def tracking(workspace: "MLClient") -> "MlflowClient":
    """The workspace's MLflow."""
    import mlflow  # noqa: PLC0415

    return mlflow.MlflowClient(workspace.workspaces.get(workspace.workspace_name).mlflow_tracking_uri)


@pytest.fixture(scope="session")
def downloaded(workspace: "MLClient", model: "Model", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model's folder, as azure-ai-ml downloads it."""
    folder = tmp_path_factory.mktemp("model")
    workspace.models.download(model.name, model.version, download_path=folder)
    (mlmodel,) = folder.rglob("MLmodel")
    return mlmodel.parent
