"""What the tests of online endpoints share: a workspace, models that need no training, and a caller in plain HTTP."""

import json
import ssl
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import pytest

from amlocal.testing import local_workspace, use

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

QUIET = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # azure-ai-ml leaves sockets to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
"""For modules that call azure-ai-ml, whose warnings are not the project's."""

# MLflow loads it by name, as it does the flavors that it brings along.
_RULES = """
import os
import pathlib
import time


class Rules:
    def __init__(self, version):
        self.version = version

    def predict(self, frame, params=None):
        if (frame["a"] == 408).any():
            time.sleep(2)
        if (frame["a"] == 500).any():
            raise ArithmeticError("as asked")
        if (frame["a"] == 502).any():
            os._exit(7)
        print("predicted", flush=True)
        return (self.version * (frame["a"] + frame["b"] > 0)).astype(int).to_numpy()


def _load_pyfunc(path):
    return Rules(int(pathlib.Path(__file__).with_name("version.txt").read_text()))
"""

_MLMODEL = """
flavors:
  python_function:
    loader_module: rules
    code: code
    env: {conda: conda.yaml}
saved_input_example_info: {artifact_path: example.json, type: dataframe, pandas_orient: split}
signature:
  inputs: '[{"name": "a", "type": "double"}, {"name": "b", "type": "double"}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
"""

NEEDED = ("azureml-ai-monitoring", "azureml-inference-server-http")
PATIENT = {"request_timeout_ms": 120_000}
"""For requests that wait while a process is started, which takes seconds, on a busy machine many."""

ROWS = {"input_data": {"columns": ["a", "b"], "index": [0, 1], "data": [[1.0, 2.0], [1.0, -2.0]]}}


def row(*values: float) -> dict[str, Any]:
    """Return a request of one row, in the form that Azure takes."""
    return {"input_data": {"columns": ["a", "b"], "index": [0], "data": [list(values)]}}


def write_model(folder: Path, version: int = 1, *, packages: Sequence[str] = NEEDED) -> Path:
    """Write an MLflow model of two columns that answers `version` where their sum is over 0, else 0.

    Its column `a` asks for more: 408 to be slow, 500 to fail, 502 to exit.
    """
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "rules.py").write_text(_RULES)
    (folder / "code" / "version.txt").write_text(str(version))
    (folder / "MLmodel").write_text(_MLMODEL)
    (folder / "example.json").write_text('{"columns": ["a", "b"], "data": [[1.0, 2.0], [1.0, -2.0]]}')
    pip = json.dumps(["mlflow", "pandas", *packages])
    (folder / "conda.yaml").write_text(f'{{"dependencies": ["python", {{"pip": {pip}}}]}}')
    return folder


@dataclass(frozen=True)
class Reply:
    """What a scoring request came back with; header names in lower case."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Site:
    """A workspace as azure-ai-ml sees it, and its endpoints as a caller does."""

    client: "MLClient"
    folder: Path
    trust: ssl.SSLContext

    def endpoint(self, name: str, **settings: Any) -> Any:
        """Create or update an endpoint and wait for it."""
        from azure.ai.ml.entities import ManagedOnlineEndpoint  # noqa: PLC0415 - imported within the workspace

        made = ManagedOnlineEndpoint(name=name, **settings)
        return self.client.online_endpoints.begin_create_or_update(made).result()

    def begin(self, name: str, endpoint: str = "scored", *, instances: int = 1, **settings: Any) -> Any:
        """Create or update a deployment; return its poller. `requests` are its request settings."""
        from azure.ai.ml.entities import ManagedOnlineDeployment, OnlineRequestSettings  # noqa: PLC0415

        requests = settings.pop("requests", None)
        if requests:
            settings["request_settings"] = OnlineRequestSettings(**requests)
        return self.client.online_deployments.begin_create_or_update(
            ManagedOnlineDeployment(
                name=name,
                endpoint_name=endpoint,
                instance_type="Standard_E2s_v3",
                instance_count=instances,
                **settings,
            )
        )

    def deploy(self, name: str, endpoint: str = "scored", **settings: Any) -> Any:
        """Create or update a deployment and wait for it."""
        return self.begin(name, endpoint, **settings).result()

    def traffic(self, endpoint: str = "scored", mirror: dict[str, int] | None = None, **shares: int) -> Any:
        """Set the shares of traffic."""
        found = self.client.online_endpoints.get(endpoint)
        found.traffic, found.mirror_traffic = shares, mirror or {}
        return self.client.online_endpoints.begin_create_or_update(found).result()

    def register(self, name: str, path: Path) -> str:
        """Register an MLflow model; return its reference."""
        from azure.ai.ml.entities import Model  # noqa: PLC0415

        made = self.client.models.create_or_update(Model(name=name, path=str(path), type="mlflow_model"))
        return f"azureml:{made.name}:{made.version}"

    def log(self, name: str, endpoint: str = "scored", **options: Any) -> str:
        """Return the end of a deployment's log."""
        return str(self.client.online_deployments.get_logs(name, endpoint, lines=200, **options))

    def key(self, endpoint: str = "scored") -> str:
        """Return what the SDK would send: the first key, or a token."""
        keys = self.client.online_endpoints.get_keys(endpoint)
        return str(getattr(keys, "primary_key", None) or keys.access_token)

    def post(self, body: Any, endpoint: str = "scored", *, key: str | None = None, **headers: str) -> Reply:
        """Send a scoring request."""
        uri = self.client.online_endpoints.get(endpoint).scoring_uri
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
        sent["Authorization"] = f"Bearer {self.key(endpoint) if key is None else key}"
        request = urllib.request.Request(uri, content, sent)
        try:
            with urllib.request.urlopen(request, context=self.trust) as answer:
                return Reply(answer.status, _lower(answer.headers), answer.read().decode())
        except HTTPError as error:
            with error:
                return Reply(error.code, _lower(error.headers), error.read().decode())


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@contextmanager
def open_site(folder: Path, *, lenient: bool = False) -> Iterator[Site]:
    """Start a workspace below `folder`."""
    with local_workspace(folder / "root", lenient=lenient) as workspace, use(workspace):
        from azure.ai.ml import MLClient  # noqa: PLC0415 - it reads the workspace's variables
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415

        client = MLClient(DefaultAzureCredential(), workspace.subscription, workspace.resource_group, workspace.name)
        yield Site(client, folder, ssl.create_default_context(cafile=workspace.environ["REQUESTS_CA_BUNDLE"]))
