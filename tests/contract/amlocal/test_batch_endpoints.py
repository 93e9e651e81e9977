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

        yield MLClient(DefaultAzureCredential(), workspace.subscription, workspace.resource_group, workspace.name)


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


@pytest.fixture
def folder(tmp_path: Path, features: pd.DataFrame) -> Path:
    """Three good files in three formats, and one that is no table."""
    data = tmp_path / "data"
    data.mkdir()
    features.to_csv(data / "1.csv", index=False)
    (data / "2.csv").write_text("a,b\nnot,numbers\n")
    features.to_parquet(data / "3.parquet")
    features.to_json(data / "4.jsonl", orient="records", lines=True)
    return data


def test_a_broken_file_leaves_the_others_scored_in_order(
    client: "MLClient", deployed: str, folder: Path, tmp_path: Path
) -> None:
    job = invoke(client, folder)
    client.jobs.stream(job)
    client.jobs.download(job, download_path=tmp_path / "down")
    found = predictions(tmp_path / "down")
    assert found["file"].unique().tolist() == ["1.csv", "3.parquet", "4.jsonl"]
    assert [part["prediction"].tolist() for _, part in found.groupby("file")] == (
        [found["prediction"].tolist()[:ROWS]] * 3
    )


def test_more_failures_than_the_threshold_fail_the_job(client: "MLClient", deployed: str, folder: Path) -> None:
    from azure.ai.ml.exceptions import JobException  # noqa: PLC0415

    job = invoke(client, folder, params_override=[{"error_threshold": 0}])
    with pytest.raises(JobException, match="1 files failed, and error_threshold is 0"):
        client.jobs.stream(job)
    assert client.jobs.get(job).status == "Failed"


def test_a_call_chooses_output_settings_and_experiment(
    client: "MLClient", deployed: str, features: pd.DataFrame, tmp_path: Path
) -> None:
    from azure.ai.ml import Output  # noqa: PLC0415

    features.to_csv(tmp_path / "rows.csv", index=False)
    place = "azureml://datastores/workspaceblobstore/paths/chosen/mine.csv"
    job = invoke(
        client,
        tmp_path / "rows.csv",
        outputs={"score": Output(type="uri_file", path=place)},
        experiment_name="elsewhere",
        job_name="my-call",
    )
    assert job == "my-call"
    client.jobs.stream(job)
    client.jobs.download(job, download_path=tmp_path / "down")
    assert len(predictions(tmp_path / "down", "mine.csv")) == ROWS
    assert client.jobs.get(job).experiment_name == "elsewhere"


SCRIPT = """
import argparse, os
from pathlib import Path
import helper

def init():
    global model, calls
    argparse.ArgumentParser().parse_known_args()
    model = sorted(path.name for path in (Path(os.environ["AZUREML_MODEL_DIR"]) / "model").iterdir())

def run(mini_batch):
    import pandas as pd
    assert Path(os.environ["AZUREML_BI_OUTPUT_PATH"]).is_dir() and os.environ["COLOUR"] == "red"
    return pd.DataFrame({"file": [helper.name(file) for file in mini_batch], "size": len(mini_batch), "x": model[0]})
"""


def test_a_scoring_script_runs_as_on_azure(
    client: "MLClient", deployed: str, features: pd.DataFrame, tmp_path: Path
) -> None:
    from azure.ai.ml.entities import (  # noqa: PLC0415
        CodeConfiguration,
        Environment,
        ModelBatchDeployment,
        ModelBatchDeploymentSettings,
    )

    code, data = tmp_path / "code", tmp_path / "data"
    for folder in (code, data):
        folder.mkdir()
    (code / "driver.py").write_text(SCRIPT)
    (code / "helper.py").write_text("import os\nname = os.path.basename\n")
    for number in range(5):
        (data / f"{number}.txt").write_text("x")
    client.environments.create_or_update(Environment(name="plain", version="1", image="any"))
    client.batch_deployments.begin_create_or_update(
        ModelBatchDeployment(
            name="scripted",
            endpoint_name=ENDPOINT,
            model="azureml:m:1",
            environment="azureml:plain:1",
            code_configuration=CodeConfiguration(code=str(code), scoring_script="driver.py"),
            compute="azureml:cpu-cluster",
            settings=ModelBatchDeploymentSettings(
                mini_batch_size=2, max_concurrency_per_instance=2, environment_variables={"COLOUR": "red"}
            ),
        )
    ).result()
    job = invoke(client, data, deployment_name="scripted")
    client.jobs.stream(job)
    client.jobs.download(job, download_path=tmp_path / "down")
    lines = (tmp_path / "down" / "predictions.csv").read_text().splitlines()
    assert lines == [f"{number}.txt {2 if number < 4 else 1} MLmodel" for number in range(5)]


def test_jobs_are_listed_by_endpoint_and_by_deployment(
    client: "MLClient", deployed: str, features: pd.DataFrame, tmp_path: Path
) -> None:
    features.to_csv(tmp_path / "rows.csv", index=False)
    job = invoke(client, tmp_path / "rows.csv", deployment_name=DEPLOYMENT)
    assert job in {found.name for found in client.batch_endpoints.list_jobs(ENDPOINT)}
    assert job in {found.name for found in client.batch_deployments.list_jobs(endpoint_name=ENDPOINT, name=DEPLOYMENT)}
    client.jobs.begin_cancel(job).result()  # nobody waits for it; test_batch_kill.py looks at what a cancel does


def test_a_deployment_is_got_listed_and_deleted_unless_it_is_the_default(client: "MLClient", deployed: str) -> None:
    from azure.ai.ml.entities import ModelBatchDeployment, ModelBatchDeploymentSettings  # noqa: PLC0415
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError  # noqa: PLC0415

    client.batch_deployments.begin_create_or_update(
        ModelBatchDeployment(
            name="second",
            endpoint_name=ENDPOINT,
            model="azureml:m:1",
            compute="azureml:cpu-cluster",
            settings=ModelBatchDeploymentSettings(mini_batch_size=1, output_action="summary_only"),
        )
    ).result()
    assert client.batch_deployments.get("second", ENDPOINT).output_action == "summary_only"
    assert "second" in {found.name for found in client.batch_deployments.list(ENDPOINT)}
    client.batch_deployments.begin_delete("second", ENDPOINT).result()
    with pytest.raises(ResourceNotFoundError, match="no deployment with name: second"):
        client.batch_deployments.get("second", ENDPOINT)
    with pytest.raises(HttpResponseError, match="is the default of endpoint"):
        client.batch_deployments.begin_delete(DEPLOYMENT, ENDPOINT).result()
