"""The hello-world examples that Microsoft publishes (Azure/azureml-examples), each as it stands."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from azure.ai.ml import MLClient, load_data, load_job, load_online_deployment, load_online_endpoint
from azure.ai.ml.entities import Data
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
from azure.storage.blob import ContainerClient

CLI = Path(os.environ["AZUREML_EXAMPLES"], "cli")
JOBS = CLI / "jobs" / "basics"
SAMPLE = CLI / "endpoints" / "online" / "managed" / "sample"
NOT_SERVED = {"pipeline", "sweep", "automl"}
"""Types of jobs that amlocal refuses."""
NEEDS = {
    "hello-interactive.yml": "an image with TensorFlow and interactive services",
    "hello-iris-literal.yml": "a schema that azure-ai-ml takes: it refuses the file itself",
}


def declared(example: Path) -> dict[str, object]:
    document = yaml.safe_load(example.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def kind(example: Path) -> str:
    return str(declared(example).get("type", "command"))


def examples(*, served: bool) -> list[str]:
    """The examples, by whether amlocal has their type of job."""
    return [file.name for file in sorted(JOBS.glob("hello-*.yml")) if (kind(file) not in NOT_SERVED) is served]


def from_the_internet(example: Path) -> str | None:
    """What the example reads from a public storage account."""
    text = example.read_text(encoding="utf-8")
    found = (word for word in text.split() if word.startswith(("https://", "wasbs://")))
    return next((word for word in found if (urlsplit(word).hostname or "").endswith("blob.core.windows.net")), None)


@pytest.fixture(scope="session")
def client() -> MLClient:
    names = ("ML_SUBSCRIPTION_ID", "ML_RESOURCE_GROUP", "ML_WORKSPACE_NAME")
    return MLClient(DefaultAzureCredential(), *(os.environ[name] for name in names))


@pytest.fixture(scope="session")
def assets(client: MLClient) -> None:
    """The data that the examples' README has its reader create before."""
    folder = CLI / "assets" / "data"
    client.data.create_or_update(load_data(folder / "local-folder.yml"))
    for name in ("sampledata", "local-folder-example"):
        client.data.create_or_update(Data(name=name, type="uri_folder", path=str(folder / "example-data")))
    datastore = client.datastores.get_default(include_secrets=True)
    address = f"https://{datastore.account_name}.blob.{datastore.endpoint}"
    with ContainerClient(address, datastore.container_name, datastore.credentials.account_key) as container:
        for file in (folder / "example-data").iterdir():
            container.upload_blob(f"example-data/{file.name}", file.read_bytes())


@pytest.mark.usefixtures("assets")
@pytest.mark.parametrize("example", examples(served=True))
def test_command_job_completes(client: MLClient, example: str) -> None:
    if example in NEEDS:
        pytest.skip(f"It needs {NEEDS[example]}.")
    if address := from_the_internet(JOBS / example):
        pytest.skip(f"It reads {address}, which is in Azure.")
    job = client.jobs.create_or_update(load_job(JOBS / example))
    client.jobs.stream(job.name)
    assert client.jobs.get(job.name).status == "Completed"


@pytest.mark.parametrize("example", examples(served=False))
def test_what_is_not_served_is_refused_by_name(client: MLClient, example: str) -> None:
    with pytest.raises(HttpResponseError, match="not served by amlocal") as refused:
        client.jobs.create_or_update(load_job(JOBS / example))
    assert refused.value.status_code == 501


@pytest.mark.parametrize("colour", ["blue", "green"])
def test_online_sample_answers(client: MLClient, colour: str) -> None:
    endpoint = load_online_endpoint(SAMPLE / "endpoint.yml")
    client.online_endpoints.begin_create_or_update(endpoint).result()
    deployment = load_online_deployment(SAMPLE / f"{colour}-deployment.yml")
    client.online_deployments.begin_create_or_update(deployment).result()
    request = CLI / "endpoints" / "online" / f"model-{'1' if colour == 'blue' else '2'}" / "sample-request.json"
    assert client.online_endpoints.invoke(endpoint.name, deployment_name=colour, request_file=str(request))
