"""Batch endpoints as the SDK sees them: a model is deployed and scores files, end to end."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow.sklearn
import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression

from amlocal.testing import local_workspace, use

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType:UserWarning"),
    pytest.mark.xdist_group("batch"),
]
ENDPOINT, DEPLOYMENT = "scores", "first"
ROWS = 25


@pytest.fixture(scope="module")
def client() -> "Iterator[MLClient]":
    with local_workspace() as workspace, use(workspace):
        from azure.ai.ml import MLClient  # noqa: PLC0415 - reads the environment on import
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415

        yield MLClient(
            DefaultAzureCredential(), workspace.subscription, workspace.resource_group, workspace.name
        )


@pytest.fixture(scope="module")
def features() -> pd.DataFrame:
    chance = np.random.default_rng(7)
    return pd.DataFrame({"a": chance.integers(0, 9, ROWS), "b": chance.normal(size=ROWS).round(3)})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, features: pd.DataFrame) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "model"
    numbers = features.astype("float64")
    fitted = LogisticRegression().fit(numbers, numbers["b"] > 0)
    mlflow.sklearn.save_model(
        fitted, str(folder), signature=infer_signature(numbers), pip_requirements=["mlflow", "pandas", "scikit-learn"]
    )
    return folder


@pytest.fixture(scope="module")
def deployed(client: "MLClient", model: Path) -> str:
    from azure.ai.ml.constants import AssetTypes  # noqa: PLC0415
    from azure.ai.ml.entities import (  # noqa: PLC0415
        BatchEndpoint,
        Model,
        ModelBatchDeployment,
        ModelBatchDeploymentSettings,
    )

    client.models.create_or_update(Model(name="m", version="1", path=str(model), type=AssetTypes.MLFLOW_MODEL))
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=ENDPOINT, description="d")).result()
    client.batch_deployments.begin_create_or_update(
        ModelBatchDeployment(
            name=DEPLOYMENT,
            endpoint_name=ENDPOINT,
            model="azureml:m:1",
            compute="azureml:cpu-cluster",
            settings=ModelBatchDeploymentSettings(mini_batch_size=2),
        )
    ).result()
    endpoint = client.batch_endpoints.get(ENDPOINT)
    endpoint.defaults.deployment_name = DEPLOYMENT
    client.batch_endpoints.begin_create_or_update(endpoint).result()
    return ENDPOINT


def invoke(client: "MLClient", path: Path, **more: object) -> str:
    from azure.ai.ml import Input  # noqa: PLC0415

    kind = "uri_folder" if path.is_dir() else "uri_file"
    job = client.batch_endpoints.invoke(endpoint_name=ENDPOINT, input=Input(type=kind, path=str(path)), **more)
    return str(job.name)


def predictions(folder: Path, name: str = "predictions.csv") -> pd.DataFrame:
    return pd.read_csv(folder / name, names=["row", "prediction", "file"])


def test_a_file_is_scored_row_by_row(
    client: "MLClient", deployed: str, model: Path, features: pd.DataFrame, tmp_path: Path
) -> None:
    features.to_csv(tmp_path / "rows.csv", index=False)
    job = invoke(client, tmp_path / "rows.csv")
    client.jobs.stream(job)
    client.jobs.download(job, download_path=tmp_path / "down", output_name="score")
    found = predictions(tmp_path / "down")
    expected = mlflow.pyfunc.load_model(str(model)).predict(features.astype("float64"))
    assert found["prediction"].tolist() == expected.tolist()
    assert found["row"].tolist() == list(range(ROWS))
    assert set(found["file"]) == {"rows.csv"}
