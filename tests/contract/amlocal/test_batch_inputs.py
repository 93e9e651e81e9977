"""What a batch endpoint can be called with: every kind of input, every setting of a call. All calls run at once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from amlocal.testing import local_workspace, use
from tests.contract.amlocal.plain import eventually

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

pytestmark = pytest.mark.xdist_group("batch")
ENDPOINT = "names"
# A line for each file: its name, and how many files came with it.
SCRIPT = """
import os
def init():
    pass
def run(mini_batch):
    return [f"{os.path.basename(path)} of {len(mini_batch)}" for path in mini_batch]
"""
SHORT = "azureml://datastores/workspaceblobstore/paths"


@dataclass
class Site:
    """A workspace with an endpoint, the data that calls name, and a place for downloads."""

    client: "MLClient"
    data: Path
    downloads: Path
    origin: str

    def input(self, kind: str, path: str) -> Any:
        from azure.ai.ml import Input  # noqa: PLC0415 - reads the environment on import

        return Input(type=kind, path=path)

    def output(self, path: str) -> Any:
        from azure.ai.ml import Output  # noqa: PLC0415

        return Output(type="uri_file", path=path)

    def url(self, blob: str) -> str:
        """Return the https URL of a blob in the default datastore."""
        store = self.client.datastores.get_default()
        return f"{self.origin}/devstore/{store.container_name}/{blob}"


Call = Callable[[Site], dict[str, Any]]
ONE, ALL = ["1.txt of 1"], ["1.txt of 2", "2.txt of 2", "3.txt of 1"]
# For each call: what it is called with, the file of its output, the lines in it.
CALLS: dict[str, tuple[Call, str, list[str]]] = {
    "a local file": (
        lambda site: {"input": site.input("uri_file", str(site.data / "1.txt"))}, "predictions.csv", ONE,
    ),
    "a local folder": (lambda site: {"input": site.input("uri_folder", str(site.data))}, "predictions.csv", ALL),
    "a data asset by name and version": (
        lambda site: {"input": site.input("uri_file", "azureml:one:1")}, "predictions.csv", ONE,
    ),
    "the latest version of a data asset": (
        lambda site: {"input": site.input("uri_folder", "azureml:all@latest")}, "predictions.csv", ALL,
    ),
    "a folder of a datastore": (
        lambda site: {"input": site.input("uri_folder", f"{SHORT}/in/")}, "predictions.csv", ALL,
    ),
    "a file of a datastore by a key of the caller's": (
        lambda site: {"inputs": {"mine": site.input("uri_file", f"{SHORT}/in/1.txt")}}, "predictions.csv", ONE,
    ),
    "a file by its https URL": (
        lambda site: {"input": site.input("uri_file", site.url("in/1.txt"))}, "predictions.csv", ONE,
    ),
    "settings of the call's own": (
        lambda site: {
            "input": site.input("uri_folder", f"{SHORT}/in/"),
            "params_override": [
                {"mini_batch_size": 3}, {"output_file_name": "own.csv"}, {"compute": {"instance_count": 2}},
            ],
        },
        "own.csv",
        ["1.txt of 3", "2.txt of 3", "3.txt of 3"],
    ),
    "an output of the call's own": (
        lambda site: {
            "input": site.input("uri_folder", f"{SHORT}/in/"),
            "outputs": {"score": site.output(f"{SHORT}/out/mine.csv")},
        },
        "mine.csv",
        ALL,
    ),
    "an output as a datastore and a path": (
        lambda site: {
            "input": site.input("uri_folder", f"{SHORT}/in/"),
            "params_override": [
                {"output_dataset": {"datastore_id": "azureml:workspaceblobstore", "path": "older"}},
                {"output_file_name": "older.csv"},
            ],
        },
        "older.csv",
        ALL,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with local_workspace() as workspace, use(workspace):
        from azure.ai.ml import MLClient  # noqa: PLC0415 - reads the environment on import
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415

        names = (workspace.subscription, workspace.resource_group, workspace.name)
        folder = tmp_path_factory.mktemp("batch")
        site = Site(MLClient(DefaultAzureCredential(), *names), folder / "in", folder / "downloads", workspace.origin)
        furnish(site, folder)
        yield site


def furnish(site: Site, folder: Path) -> None:
    """Deploy the script and bring the data into the workspace."""
    from azure.ai.ml.entities import (  # noqa: PLC0415
        BatchEndpoint,
        CodeConfiguration,
        Data,
        Environment,
        Model,
        ModelBatchDeployment,
        ModelBatchDeploymentSettings,
    )

    for name, content in (("code/score.py", SCRIPT), ("model", "m"), *((f"in/{n}.txt", str(n)) for n in (1, 2, 3))):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    client = site.client
    client.data.create_or_update(Data(name="one", version="1", path=str(site.data / "1.txt"), type="uri_file"))
    client.data.create_or_update(Data(name="all", version="1", path=str(site.data), type="uri_folder"))
    copy_to_datastore(site)
    environment = client.environments.create_or_update(Environment(name="plain", version="1", image="any"))
    model = client.models.create_or_update(Model(name="m", version="1", path=str(folder / "model")))
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=ENDPOINT)).result()
    deployment = ModelBatchDeployment(
        name="first",
        endpoint_name=ENDPOINT,
        model=model,
        environment=environment,
        code_configuration=CodeConfiguration(code=str(folder / "code"), scoring_script="score.py"),
        compute="cpu-cluster",
        settings=ModelBatchDeploymentSettings(mini_batch_size=2),
    )
    client.batch_deployments.begin_create_or_update(deployment).result()
    endpoint = client.batch_endpoints.get(ENDPOINT)
    endpoint.defaults.deployment_name = "first"
    client.batch_endpoints.begin_create_or_update(endpoint).result()


def copy_to_datastore(site: Site) -> None:
    """Upload the data to a known path, as another program would."""
    from azure.storage.blob import ContainerClient  # noqa: PLC0415

    store = site.client.datastores.get("workspaceblobstore", include_secrets=True)
    container = ContainerClient(
        f"{site.origin}/devstore", store.container_name, credential=store.credentials.account_key
    )
    with container:
        for file in site.data.iterdir():
            container.upload_blob(f"in/{file.name}", file.read_bytes())


@pytest.fixture(scope="module")
def jobs(site: Site) -> dict[str, str]:
    """The jobs of all calls, by what they are called with, once they have ended."""
    called = {
        name: str(site.client.batch_endpoints.invoke(endpoint_name=ENDPOINT, **call(site)).name)
        for name, (call, _, _) in CALLS.items()
    }
    running = set(called.values())

    def all_ended() -> bool:
        running.difference_update(
            [job for job in running if site.client.jobs.get(job).status in ("Completed", "Failed")]
        )
        return not running

    eventually("the end of all jobs", all_ended)
    return called


@pytest.mark.parametrize("name", CALLS)
def test_every_call_scores_its_input_into_its_output(site: Site, jobs: dict[str, str], name: str) -> None:
    _, output, lines = CALLS[name]
    place = site.downloads / jobs[name]
    site.client.jobs.download(jobs[name], download_path=place, output_name="score")
    assert [path.name for path in place.iterdir()] == [output]
    assert (place / output).read_text().splitlines() == lines


def test_all_calls_are_listed_newest_first(site: Site, jobs: dict[str, str]) -> None:
    listed = [job.name for job in site.client.batch_endpoints.list_jobs(ENDPOINT)]
    assert listed == list(jobs.values())[::-1]
