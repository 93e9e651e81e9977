from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
import yaml

from mlgates.config.project import Project
from mlgates.config.settings import Settings, load_settings
from tests.unit.mlgates.fake_workspace import FakeWorkspace

if TYPE_CHECKING:  # pytest loads this file before it takes the warnings that importing it makes for known
    from azure.ai.ml import MLClient

CONFIG = {
    "TRAINING_ENVIRONMENT_NAME": "train-env",
    "TRAINING_DATASET_NAME": "patients",
    "TRAINING_EXPERIMENT_NAME": "experiment",
    "MODEL_NAME": "classifier",
    "MODEL_PATH": "my-model",
    "BATCH_ENDPOINT_NAME": "batch",
    "BATCH_DEPLOYMENT_NAME": "blue",
    "BATCH_SAMPLE_REQUEST": "data/batch.csv",
    "BATCH_REQUEST_TYPE": "uri_file",
    "ONLINE_ENDPOINT_NAME": "online",
    "ONLINE_DEPLOYMENT_NAME": "blue",
    "ONLINE_SAMPLE_REQUEST": "data/online.json",
    "ONLINE_LATENCY_LIMIT_MS": "1000",
}
INFRA = {"AZURE_SUBSCRIPTION_ID": "", "RESOURCE_GROUP_NAME": "rg", "AML_WORKSPACE_NAME": "mlw"}
ASSETS = {
    "train-env.yml": {"name": "other", "image": "img:1", "conda_file": "train-conda.yml", "tags": {"team": "a"}},
    "train-conda.yml": {"name": "env", "dependencies": ["python=3.11", {"pip": ["pandas==2.3.3"]}]},
    "dataset.yml": {"type": "uri_file", "path": "../../data/train.csv", "tags": {"how_to_get": "ask Ann"}},
    "model.yml": {"name": "other", "type": "mlflow_model", "path": "azureml://jobs/X/outputs/artifacts/paths/model/"},
    "pipeline.yml": {
        "type": "command",
        "command": "python -m t --data ${{inputs.input}} --estimator ${{inputs.estimator}} --seed ${{inputs.seed}}",
        "code": "../../src",
        "inputs": {"input": {"type": "uri_file", "path": "azureml:o@latest"}, "estimator": "logistic", "seed": 0},
        "environment": "azureml:o@latest",
        "environment_variables": {"MODEL_PATH": "model"},
        "compute": "azureml:cpu-cluster",
        "tags": {"stage": "training"},
    },
}  # fmt: skip
DEPLOYED = {
    "online/online-endpoint.yml": {"name": "other", "auth_mode": "key", "tags": {"team": "a"}},
    "online/online-deployment.yml": {
        "name": "other",
        "endpoint_name": "other",
        "model": "azureml:o@latest",
        "instance_type": "Standard_E2s_v3",
        "instance_count": 1,
    },
    "batch/batch-endpoint.yml": {"name": "other", "auth_mode": "aad_token"},
    "batch/batch-deployment.yml": {
        "type": "model",
        "name": "other",
        "endpoint_name": "other",
        "model": "azureml:o@latest",
        "compute": "azureml:cpu-cluster",
    },
}


@cache
def project_files() -> dict[str, str]:
    """The YAML files of a project by their name below mlops/."""
    documents: dict[str, object] = {"config-mlops.yml": {"variables": CONFIG}}
    documents |= {f"config-infra-{environment}.yml": {"variables": INFRA} for environment in ("local", "dev")}
    documents |= {f"continuous-training/{name}": document for name, document in ASSETS.items()}
    documents |= {f"deploy/{name}": document for name, document in DEPLOYED.items()}
    return {name: yaml.safe_dump(document) for name, document in documents.items()}


def make_project(root: Path) -> Project:
    """Write a project's files into a folder."""
    for folder in ("src", "data", "mlops/continuous-training", "mlops/deploy/online", "mlops/deploy/batch"):
        (root / folder).mkdir(parents=True)
    (root / "data" / "train.csv").write_text("a,b\n1,2\n")
    (root / "data" / "batch.csv").write_text("a,b\n1,2\n3,4\n")
    (root / "data" / "online.json").write_text('{"input_data": [[1, 2]]}')
    for name, text in project_files().items():
        (root / "mlops" / name).write_text(text)
    return Project(root)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path)


@pytest.fixture
def settings(project: Project) -> Settings:
    return load_settings(project, "local", environ={})


@pytest.fixture
def workspace() -> FakeWorkspace:
    return FakeWorkspace()


@pytest.fixture
def client(workspace: FakeWorkspace) -> "MLClient":
    """The fake workspace where the real client is expected."""
    return cast("MLClient", workspace)
