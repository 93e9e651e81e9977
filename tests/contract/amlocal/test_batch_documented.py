"""A deployment of a scoring script as Azure ML's documentation has it, from its YAML to its predictions, unchanged."""

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from amlocal.testing import local_workspace, use

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

pytestmark = [
    pytest.mark.filterwarnings("ignore:This class is intended as a base class:UserWarning"),
    pytest.mark.xdist_group("batch"),
]

ENDPOINT_YAML = """
$schema: https://azuremlschemas.azureedge.net/latest/batchEndpoint.schema.json
name: heart-classifier
description: A heart condition classifier for batch inference
auth_mode: aad_token
"""
# The two layouts that the documentation has, the older one flat.
FLAT_YAML = """
$schema: https://azuremlschemas.azureedge.net/latest/batchDeployment.schema.json
endpoint_name: heart-classifier
name: flat
model:
  name: heart
  version: 1
  path: model
environment:
  name: heart-batch
  image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:latest
  conda_file: environment/conda.yaml
code_configuration:
  code: code
  scoring_script: batch_driver.py
compute: azureml:cpu-cluster
resources:
  instance_count: 1
max_concurrency_per_instance: 2
mini_batch_size: 2
output_action: append_row
output_file_name: predictions.csv
retry_settings:
  max_retries: 3
  timeout: 300
error_threshold: -1
logging_level: info
environment_variables:
  THRESHOLD: "0.5"
"""
NESTED_YAML = """
$schema: https://azuremlschemas.azureedge.net/latest/modelBatchDeployment.schema.json
endpoint_name: heart-classifier
name: nested
type: model
model: azureml:heart:1
environment:
  name: heart-batch
  image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:latest
  conda_file: environment/conda.yaml
code_configuration:
  code: code
  scoring_script: batch_driver.py
compute: azureml:cpu-cluster
resources:
  instance_count: 1
settings:
  max_concurrency_per_instance: 2
  mini_batch_size: 2
  output_action: summary_only
  retry_settings:
    max_retries: 3
    timeout: 300
  error_threshold: -1
  logging_level: info
  environment_variables:
    THRESHOLD: "0.5"
"""
CONDA = """
name: heart-env
channels:
  - conda-forge
dependencies:
  - python
  - pip
  - pip:
    - pandas
    - scikit-learn
"""
# The shape of the documentation's scripts: the model by AZUREML_MODEL_DIR, the logging level by an argument, a list of
# paths in, a data frame out, and a file for each input in AZUREML_BI_OUTPUT_PATH.
DRIVER = """
import argparse
import glob
import logging
import os
import pickle
from pathlib import Path
from typing import List

import pandas as pd

parser = argparse.ArgumentParser(description="Argument parser.")
parser.add_argument("--logging_level", type=str, help="logging level")
arguments, unknown = parser.parse_known_args()
logger = logging.getLogger(__name__)
logger.setLevel(arguments.logging_level.upper())


def init():
    global model
    global threshold
    global output_path

    output_path = os.environ["AZUREML_BI_OUTPUT_PATH"]
    threshold = float(os.environ["THRESHOLD"])
    model_file = glob.glob(f"{os.environ['AZUREML_MODEL_DIR']}/*/*.pkl")[-1]
    with open(model_file, "rb") as file:
        model = pickle.load(file)
    logger.info("model loaded")


def run(mini_batch: List[str]) -> pd.DataFrame:
    print(f"Executing run method over batch of {len(mini_batch)} files.")
    results = []
    for file_path in mini_batch:
        data = pd.read_csv(file_path)
        data["prediction"] = (model.predict_proba(data)[:, 1] > threshold).astype(int)
        data["file"] = os.path.basename(file_path)
        data.to_parquet(os.path.join(output_path, Path(file_path).stem + ".parquet"))
        results.append(data)
    return pd.concat(results)
"""


@pytest.fixture(scope="module")
def client() -> "Iterator[MLClient]":
    with local_workspace() as workspace, use(workspace):
        from azure.ai.ml import MLClient  # noqa: PLC0415 - reads the environment on import
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415

        yield MLClient(DefaultAzureCredential(), workspace.subscription, workspace.resource_group, workspace.name)


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    chance = np.random.default_rng(3)
    return {
        f"heart-{number}.csv": pd.DataFrame(
            {"age": chance.integers(20, 80, 4), "rate": chance.normal(70, 9, 4).round(1)}
        )
        for number in range(3)
    }


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory, tables: dict[str, pd.DataFrame]) -> Path:
    """The files of a sample as its documentation lays them out."""
    folder = tmp_path_factory.mktemp("heart-classifier")
    texts = {
        "endpoint.yml": ENDPOINT_YAML,
        "flat.yml": FLAT_YAML,
        "nested.yml": NESTED_YAML,
        "environment/conda.yaml": CONDA,
        "code/batch_driver.py": DRIVER,
    }
    for name, content in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    (folder / "data").mkdir()
    for name, table in tables.items():
        table.to_csv(folder / "data" / name, index=False)
    rows = pd.concat(tables.values())
    (folder / "model").mkdir()
    fitted = LogisticRegression().fit(rows, rows["age"] > rows["age"].median())
    (folder / "model" / "model.pkl").write_bytes(pickle.dumps(fitted))
    return folder


@pytest.fixture(scope="module")
def endpoint(client: "MLClient", sample: Path) -> str:
    from azure.ai.ml import load_batch_deployment, load_batch_endpoint  # noqa: PLC0415

    client.batch_endpoints.begin_create_or_update(load_batch_endpoint(sample / "endpoint.yml")).result()
    client.batch_deployments.begin_create_or_update(load_batch_deployment(sample / "flat.yml")).result()
    made = client.batch_endpoints.get("heart-classifier")
    made.defaults.deployment_name = "flat"
    client.batch_endpoints.begin_create_or_update(made).result()
    return str(made.name)


def expected(sample: Path, tables: dict[str, pd.DataFrame]) -> list[list[str]]:
    model = pickle.loads((sample / "model" / "model.pkl").read_bytes())
    return [
        [str(age), str(rate), str(int(prediction)), name]
        for name, table in tables.items()
        for (age, rate), prediction in zip(table.astype(object).to_numpy(), model.predict(table), strict=True)
    ]


def test_the_flat_layout_with_a_data_asset(
    client: "MLClient", endpoint: str, sample: Path, tables: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    from azure.ai.ml import Input  # noqa: PLC0415
    from azure.ai.ml.entities import Data  # noqa: PLC0415

    client.data.create_or_update(Data(name="heart-data", version="1", path=str(sample / "data"), type="uri_folder"))
    data = client.data.get("heart-data", "1")
    job = client.batch_endpoints.invoke(endpoint_name=endpoint, input=Input(type="uri_folder", path=data.id))
    client.jobs.stream(job.name)
    # As the documentation's notebook does it: the output is the child job's.
    (scoring,) = client.jobs.list(parent_job_name=job.name)
    client.jobs.download(name=scoring.name, download_path=tmp_path, output_name="score")
    folder = tmp_path / "named-outputs" / "score"
    lines = [line.split(" ") for line in (folder / "predictions.csv").read_text().splitlines()]
    assert lines == expected(sample, tables)
    assert sorted(path.name for path in folder.iterdir()) == [
        "heart-0.parquet", "heart-1.parquet", "heart-2.parquet", "predictions.csv",
    ]  # fmt: skip


def test_the_layout_with_settings_keeps_what_the_script_wrote_itself(
    client: "MLClient", endpoint: str, sample: Path, tables: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    from azure.ai.ml import Input  # noqa: PLC0415
    from azure.ai.ml.entities._load_functions import load_model_batch_deployment  # noqa: PLC0415 - its only place

    client.batch_deployments.begin_create_or_update(load_model_batch_deployment(sample / "nested.yml")).result()
    job = client.batch_endpoints.invoke(
        endpoint_name=endpoint, deployment_name="nested", input=Input(type="uri_folder", path=str(sample / "data"))
    )
    client.jobs.stream(job.name)
    client.jobs.download(job.name, download_path=tmp_path, output_name="score")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"heart-{number}.parquet" for number in range(3)]
    found = pd.concat(pd.read_parquet(path) for path in sorted(tmp_path.iterdir()))
    assert found["prediction"].tolist() == [int(row[2]) for row in expected(sample, tables)]
