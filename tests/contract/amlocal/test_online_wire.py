"""Online endpoints as azure-ai-ml and a caller of the scoring URL see them; one workspace for the module."""

import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import pytest

from amlocal import testing

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # azure-ai-ml leaves sockets to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.xdist_group("online"),
]

SAVE = """
import sys, warnings
warnings.simplefilter("ignore")
import mlflow, pandas as pd
from importlib.metadata import version
from mlflow.models import infer_signature

class Above(mlflow.pyfunc.PythonModel):
    def __init__(self, limit): self.limit = limit
    def predict(self, context, model_input, params=None):
        return (model_input["a"] + model_input["b"] > self.limit).astype(int).to_numpy()

frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, -4.0]})
names = ["mlflow", "pandas", "azureml-ai-monitoring", "azureml-inference-server-http"]
for folder, limit, kept in (("model", 0, names), ("other", -100, names), ("bare", 0, names[:2])):
    mlflow.pyfunc.save_model(
        f"{sys.argv[1]}/{folder}", python_model=Above(limit), input_example=frame,
        signature=infer_signature(frame, pd.Series([1, 0]).to_numpy()),
        pip_requirements=[f"{name}=={version(name)}" for name in kept],
    )
"""

SCRIPT = """
import json, os

def init():
    global model_dir
    model_dir = os.environ["AZUREML_MODEL_DIR"]

def run(raw):
    asked = json.loads(raw)
    if asked.get("fail"):
        raise ValueError("as asked")
    return {"files": sorted(os.listdir(model_dir)), "greeting": os.environ["GREETING"], "sum": sum(asked["data"])}
"""


@dataclass
class Endpoint:
    """An endpoint with one deployment, `blue`, that gets all traffic."""

    client: "MLClient"
    name: str
    uri: str
    key: str
    folder: Path
    trust: ssl.SSLContext

    def post(self, body: Any, *, key: str | None = None, **headers: str) -> tuple[int, dict[str, str], str]:
        """Send a scoring request; return status, headers in lower case, text."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.key if key is None else key}", "Content-Type": "application/json"}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.uri, content, sent | given)
        try:
            with urllib.request.urlopen(request, context=self.trust) as answer:
                return answer.status, _lower(answer.headers), answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, _lower(error.headers), error.read().decode()

    def deploy(self, name: str, **settings: Any) -> Any:
        """Create or update a deployment and wait for it."""
        from azure.ai.ml.entities import ManagedOnlineDeployment  # noqa: PLC0415

        deployment = ManagedOnlineDeployment(
            name=name, endpoint_name=self.name, instance_type="Standard_E2s_v3", instance_count=1, **settings
        )
        return self.client.online_deployments.begin_create_or_update(deployment).result()


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    folder = tmp_path_factory.mktemp("online")
    subprocess.run([sys.executable, "-c", SAVE, str(folder)], check=True)
    with testing.local_workspace(folder / "root") as workspace, testing.use(workspace):
        from azure.ai.ml import MLClient  # noqa: PLC0415 - it reads the workspace's variables
        from azure.ai.ml.entities import ManagedOnlineEndpoint, Model, OnlineRequestSettings  # noqa: PLC0415
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415

        client = MLClient(DefaultAzureCredential(), workspace.subscription, workspace.resource_group, workspace.name)
        for name in ("model", "other", "bare"):
            client.models.create_or_update(Model(name=name, version="1", path=str(folder / name), type="mlflow_model"))
        made = client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name="scored")).result()
        key = client.online_endpoints.get_keys("scored").primary_key
        trust = ssl.create_default_context(cafile=workspace.environ["REQUESTS_CA_BUNDLE"])
        found = Endpoint(client, "scored", made.scoring_uri, key, folder, trust)
        settings = OnlineRequestSettings(max_concurrent_requests_per_instance=64)
        found.deploy("blue", model="azureml:model:1", request_settings=settings)
        made.traffic = {"blue": 100}
        client.online_endpoints.begin_create_or_update(made).result()
        yield found


ROWS = {"input_data": [[1.0, 2.0], [1.0, -2.0]]}


def test_the_sdk_invokes_the_endpoint_by_key(endpoint: Endpoint, tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text(json.dumps(ROWS))
    answer = endpoint.client.online_endpoints.invoke(endpoint.name, request_file=str(tmp_path / "request.json"))
    assert json.loads(answer) == [1, 0]


@pytest.mark.parametrize(
    "data",
    [
        [[1.0, 2.0], [1.0, -2.0]],
        [{"b": 2.0, "a": 1.0}, {"a": 1.0, "b": -2.0}],
        {"columns": ["b", "a"], "index": [0, 1], "data": [[2.0, 1.0], [-2.0, 1.0]]},
    ],
)
def test_each_format_gives_the_same_predictions(endpoint: Endpoint, data: Any) -> None:
    assert endpoint.post({"input_data": data})[2] == "[1, 0]"


def test_an_answer_names_the_deployment_and_the_request(endpoint: Endpoint) -> None:
    status, headers, _ = endpoint.post(ROWS, x_request_id="mine")
    assert (status, headers["azureml-model-deployment"], headers["x-request-id"]) == (200, "blue", "mine")


@pytest.mark.parametrize("key", ["", "wrong"])
def test_a_wrong_key_is_refused(endpoint: Endpoint, key: str) -> None:
    status, _, text = endpoint.post(ROWS, key=key)
    assert (status, text) == (401, "key_auth_access_denied")


def test_a_request_that_the_model_refuses_comes_back_as_424_with_the_reason(endpoint: Endpoint) -> None:
    status, headers, text = endpoint.post({"input_data": [{"a": 1.0}]})
    assert (status, headers["ms-azureml-model-error-statuscode"]) == (424, "400")
    assert "Column 'b' is missing" in text


def test_a_body_over_a_megabyte_and_a_half_is_refused(endpoint: Endpoint) -> None:
    assert endpoint.post(b" " * 1_572_865)[0] == 413


def test_an_unknown_deployment_is_not_found(endpoint: Endpoint) -> None:
    assert endpoint.post(ROWS, azureml_model_deployment="grey")[0] == 404


def test_a_deployment_with_traffic_cannot_be_deleted(endpoint: Endpoint) -> None:
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415

    with pytest.raises(HttpResponseError, match="100 percent"):
        endpoint.client.online_deployments.begin_delete("blue", endpoint.name).result()


def test_a_model_without_what_azures_script_imports_fails_with_azures_reason(endpoint: Endpoint) -> None:
    from azure.core.exceptions import HttpResponseError  # noqa: PLC0415

    with pytest.raises(HttpResponseError, match=r"User container has crashed.*azureml_inference_server_http"):
        endpoint.deploy("bare", model="azureml:bare:1")
    assert endpoint.client.online_deployments.get("bare", endpoint.name).provisioning_state == "Failed"
    assert "Rolling out" in endpoint.client.online_deployments.get_logs("bare", endpoint.name, lines=50)


def test_a_scoring_script_runs_under_the_inference_server(endpoint: Endpoint) -> None:
    from azure.ai.ml.entities import CodeConfiguration, Environment  # noqa: PLC0415

    code = endpoint.folder / "code"
    code.mkdir()
    (code / "score.py").write_text(SCRIPT)
    conda = endpoint.folder / "conda.yml"
    conda.write_text("dependencies: [python, {pip: [azureml-inference-server-http]}]")
    endpoint.deploy(
        "script",
        model="azureml:model:1",
        code_configuration=CodeConfiguration(code=str(code), scoring_script="score.py"),
        environment=Environment(image="mcr.microsoft.com/azureml/minimal", conda_file=str(conda)),
        environment_variables={"GREETING": "hello"},
    )
    status, _, text = endpoint.post({"data": [1, 2]}, azureml_model_deployment="script")
    assert (status, json.loads(text)) == (200, {"files": ["model"], "greeting": "hello", "sum": 3})
    status, headers, text = endpoint.post({"fail": 1}, azureml_model_deployment="script")
    assert (status, headers["ms-azureml-model-error-statuscode"]) == (424, "500")


def test_a_killed_process_is_started_again_and_its_death_is_in_the_log(endpoint: Endpoint) -> None:
    endpoint.deploy("frail", model="azureml:other:1")
    for number in _processes(endpoint.folder, "frail"):
        os.kill(number, signal.SIGKILL)
    statuses = {endpoint.post(ROWS, azureml_model_deployment="frail")[0] for _ in range(20)}
    assert statuses <= {200, 408, 424}
    for _ in range(20):
        if 200 in statuses:
            break
        statuses = {endpoint.post(ROWS, azureml_model_deployment="frail")[0]}
    assert 200 in statuses
    assert "ended with code -9" in endpoint.client.online_deployments.get_logs("frail", endpoint.name, lines=50)


def _processes(root: Path, deployment: str) -> list[int]:
    """Return the scoring processes of a deployment."""
    found = subprocess.run(["pgrep", "-f", f"{root}.*/{deployment}/"], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]
