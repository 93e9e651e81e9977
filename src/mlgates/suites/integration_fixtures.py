"""What the integration suites share: the model version as it was downloaded, and rows to ask it with."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from mlgates.contract.model_folder import read_contract
from mlgates.contract.pyfunc_scorer import PyfuncScorer
from mlgates.contract.signature import Batch, ModelContract
from mlgates.core.errors import MlgatesError
from mlgates.core.values import AssetVersion
from mlgates.evaluation.errors import CouldNotRun
from mlgates.evaluation.rows import features_of
from mlgates.gates.declaration import Gates, read_gates
from mlgates.suites.drawn_tables import draw_table, read_schema
from mlgates.suites.training_config import read_training

if TYPE_CHECKING:  # azure-ai-ml and MLflow are loaded by the fixtures, when there is something to look at
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import Job, Model
    from mlflow import MlflowClient

    from mlgates.config.settings import Settings
    from mlgates.core.lineage import Lineage

ROWS = 300


class IntegrationFixtures:
    """The candidate in a workspace, as azure-ai-ml and MLflow tell of it."""

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, mlgates_workspace: "MLClient", mlgates_candidate: AssetVersion) -> "Model":
        """The candidate, as azure-ai-ml tells of it."""
        found: Model = mlgates_workspace.models.get(mlgates_candidate.name, mlgates_candidate.version)
        return found

    @pytest.fixture(scope="class")
    @classmethod
    def job(cls, mlgates_workspace: "MLClient", mlgates_lineage: "Lineage") -> "Job":
        """The job that made the model."""
        found: Job = mlgates_workspace.jobs.get(mlgates_lineage.job)
        return found

    @pytest.fixture(scope="class")
    @classmethod
    def tracking(cls, mlgates_workspace: "MLClient") -> "MlflowClient":
        """The workspace's MLflow."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's own, about its own type hints
            import mlflow.pyfunc  # noqa: PLC0415

        workspace = mlgates_workspace.workspaces.get(mlgates_workspace.workspace_name)
        return mlflow.MlflowClient(workspace.mlflow_tracking_uri)

    @pytest.fixture(scope="class")
    @classmethod
    def downloaded(
        cls, mlgates_workspace: "MLClient", mlgates_candidate: AssetVersion, tmp_path_factory: pytest.TempPathFactory
    ) -> Path:
        """The model's folder, as azure-ai-ml downloads it."""
        from mlgates.delivery.models import download_model  # noqa: PLC0415

        return download_model(mlgates_workspace, mlgates_candidate, tmp_path_factory.mktemp("model"))

    @pytest.fixture(scope="class")
    @classmethod
    def contract(cls, downloaded: Path) -> ModelContract:
        """What the model promises."""
        return read_contract(downloaded)

    @pytest.fixture(scope="class")
    @classmethod
    def in_process(cls, downloaded: Path, contract: ModelContract) -> PyfuncScorer:
        """The registered model, predicting in this process."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return PyfuncScorer(downloaded, contract)

    @pytest.fixture(scope="class")
    @classmethod
    def gates(cls, mlgates_settings: "Settings") -> Gates:
        """What gates.yml declares."""
        project = mlgates_settings.project
        return read_gates(project.gates_file, project.shown(project.gates_file))

    @pytest.fixture(scope="class")
    @classmethod
    def rows(cls, mlgates_settings: "Settings", contract: ModelContract, gates: Gates) -> Batch:
        """Rows that nobody measured, some hundreds: drawn from the expectation suite of the training set."""
        project = mlgates_settings.project
        try:
            config = read_training(project.training_file, project.shown(project.training_file), needs_function=False)
            schema = read_schema(project.root / config.suite, gates.evaluation)
            table = draw_table(schema, 0, ROWS, gaps=False)
            typed = features_of(table, contract, {gates.evaluation.label, gates.evaluation.weights})
        except (MlgatesError, CouldNotRun) as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        return Batch(contract.names, tuple(tuple(map(_json, row)) for row in typed.itertuples(index=False)))


def _json(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value
