"""What is declared under mlops/: azure-ai-ml can read it, its names resolve, and its parts fit each other."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from mlgates.config.project import Project
from mlgates.config.settings import KEYS, Settings, load_settings

ROOT = Path(__file__).resolve().parents[3]
PROJECT = Project(ROOT)
MLOPS = ROOT / "mlops"
LOADERS = {
    "continuous-training/train-env.yml": "load_environment",
    "continuous-training/dataset.yml": "load_data",
    "continuous-training/pipeline.yml": "load_job",
    "continuous-training/model.yml": "load_model",
    "deploy/batch/batch-endpoint.yml": "load_batch_endpoint",
    "deploy/batch/batch-deployment.yml": "load_batch_deployment",
    "deploy/online/online-endpoint.yml": "load_online_endpoint",
    "deploy/online/online-deployment.yml": "load_online_deployment",
}
REFERENCES = {
    "continuous-training/train-env.yml": {"name": "TRAINING_ENVIRONMENT_NAME"},
    "continuous-training/dataset.yml": {"name": "TRAINING_DATASET_NAME"},
    "continuous-training/model.yml": {"name": "MODEL_NAME"},
    "continuous-training/pipeline.yml": {
        "experiment_name": "TRAINING_EXPERIMENT_NAME",
        "environment": "TRAINING_ENVIRONMENT_NAME",
        "inputs.input.path": "TRAINING_DATASET_NAME",
        "environment_variables.MODEL_PATH": "MODEL_PATH",
    },
    "deploy/batch/batch-endpoint.yml": {"name": "BATCH_ENDPOINT_NAME"},
    "deploy/batch/batch-deployment.yml": {
        "name": "BATCH_DEPLOYMENT_NAME",
        "endpoint_name": "BATCH_ENDPOINT_NAME",
        "model": "MODEL_NAME",
    },
    "deploy/online/online-endpoint.yml": {"name": "ONLINE_ENDPOINT_NAME"},
    "deploy/online/online-deployment.yml": {
        "name": "ONLINE_DEPLOYMENT_NAME",
        "endpoint_name": "ONLINE_ENDPOINT_NAME",
        "model": "MODEL_NAME",
    },
}
RESOLVED = [(file, field, key) for file, fields in REFERENCES.items() for field, key in fields.items()]
EVERYWHERE = {"cpu-cluster"}
"""The compute that a local workspace has from the start, and that one on Azure must have."""
NO_ASSET = {"continuous-training/train-conda.yml"}
"""Read by conda, as part of the environment."""


def read(file: str) -> Any:
    return yaml.safe_load((MLOPS / file).read_text("utf-8"))


def load(file: str) -> Any:
    # Here, since importing it takes seconds that other tests need not wait.
    from azure.ai import ml  # noqa: PLC0415

    return getattr(ml, LOADERS[file])(MLOPS / file)


def field_of(document: Any, path: str) -> str:
    for part in path.split("."):
        document = document[part]
    return str(document).removeprefix("azureml:").removesuffix("@latest")


def references(document: Any) -> Iterator[str]:
    """The names of the assets and computes that a document refers to."""
    if isinstance(document, dict | list):
        for part in document.values() if isinstance(document, dict) else document:
            yield from references(part)
    elif str(document).startswith("azureml:") and not str(document).startswith("azureml://"):
        yield field_of({"it": document}, "it")


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings(PROJECT, "local", environ={})


def test_every_file_is_known_here() -> None:
    declared = {file.relative_to(MLOPS).as_posix() for file in MLOPS.rglob("*/*.yml")}
    assert declared == {*LOADERS, *NO_ASSET}


@pytest.mark.parametrize("file", LOADERS)
def test_azure_ai_ml_loads_it(file: str) -> None:
    assert load(file)


@pytest.mark.parametrize(("file", "field", "key"), RESOLVED)
def test_a_name_is_the_configurations(settings: Settings, file: str, field: str, key: str) -> None:
    assert key in KEYS
    assert field_of(read(file), field) == getattr(settings, key.lower())


@pytest.mark.parametrize("file", LOADERS)
def test_every_reference_leads_to_something_that_is_declared(settings: Settings, file: str) -> None:
    declared = {getattr(settings, key.lower()) for key in KEYS} | EVERYWHERE
    assert set(references(read(file))) <= declared


def test_the_conda_file_can_be_satisfied() -> None:
    # It pins what the lock pins, and the lock was resolved as a whole; what runs this test was installed from it.
    *_, pip = read("continuous-training/train-conda.yml")["dependencies"]
    wanted = [Requirement(line) for line in pip["pip"]]
    assert [str(each) for each in wanted if not each.specifier.contains(version(each.name))] == []


def test_the_python_of_the_conda_file_is_one_that_the_project_supports() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (python,) = [each for each in read("continuous-training/train-conda.yml")["dependencies"] if "python=" in each]
    assert SpecifierSet(project["requires-python"]).contains(f"{python.partition('=')[2]}.0")


def test_the_model_is_registered_from_where_training_keeps_it(settings: Settings) -> None:
    assert read("continuous-training/model.yml")["path"].rstrip("/").endswith(f"/artifacts/paths/{settings.model_path}")


def test_a_model_needs_no_script_and_no_environment() -> None:
    for file in ("deploy/batch/batch-deployment.yml", "deploy/online/online-deployment.yml"):
        assert not {"code_configuration", "environment"} & read(file).keys()


def test_the_batch_deployment_appends_rows_and_retries() -> None:
    deployment = load("deploy/batch/batch-deployment.yml")
    assert (deployment.output_action, deployment.output_file_name) == ("append_row", "predictions.csv")
    assert (deployment.mini_batch_size, deployment.max_concurrency_per_instance) == (10, 2)
    assert (deployment.retry_settings.max_retries, deployment.retry_settings.timeout) == (3, 30)
    assert (deployment.error_threshold, deployment.resources.instance_count) == (-1, 1)


def test_the_endpoints_authenticate_as_azure_allows() -> None:
    assert read("deploy/batch/batch-endpoint.yml")["auth_mode"] == "aad_token"
    assert read("deploy/online/online-endpoint.yml")["auth_mode"] == "key"


@pytest.mark.parametrize("environment", ["local", "dev", "prod"])
def test_an_endpoints_name_in_the_workspace_is_one_that_azure_takes(environment: str) -> None:
    settings = load_settings(PROJECT, environment, environ={})
    for name in (settings.online_endpoint, settings.batch_endpoint):
        # learn.microsoft.com, how-to-manage-quotas: 3 to 32 characters, a letter first, no hyphen last
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{1,30}[A-Za-z0-9]", name)
