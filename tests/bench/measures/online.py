"""Online endpoints: how soon a deployment is ready, and how fast it answers beside other servers of the same model."""

import json
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amlocal.testing import local_workspace, use
from tests.bench import peers
from tests.bench.figures import Figure
from tests.bench.load import Load, Target, press, require_wrk
from tests.bench.processes import timed

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

CONNECTIONS = (1, 8, 64)
ROUNDS = 3
SECONDS = 3
OURS, AZURE, MLFLOW = "amlocal", "azureml-inference-server-http", "mlflow models serve"


@contextmanager
def _model() -> Iterator[Path]:
    """The classifier of the example, logistic regression, as an MLflow model."""
    import pandas as pd  # noqa: PLC0415 - with scikit-learn and MLflow, which the other measures do without

    from diabetes import saving, training  # noqa: PLC0415
    from diabetes_dataset import stand_in  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "diabetes.csv"
        data.write_bytes(stand_in.content())
        saving.save(training.train(pd.read_csv(data), training.Settings()).model, Path(folder) / "model")
        yield Path(folder) / "model"


@dataclass(frozen=True)
class _Endpoint:
    """An endpoint of a workspace that is up, with the model registered as version 1."""

    client: "MLClient"
    name: str

    def deploy(self, name: str) -> None:
        """Create a deployment of the model and wait until it serves."""
        from azure.ai.ml.entities import ManagedOnlineDeployment, OnlineRequestSettings  # noqa: PLC0415

        deployment = ManagedOnlineDeployment(
            name=name,
            endpoint_name=self.name,
            model="azureml:classifier:1",
            instance_type="Standard_E2s_v3",
            instance_count=1,
            # Azure's default of one at a time would turn most of the load away.
            request_settings=OnlineRequestSettings(max_concurrent_requests_per_instance=64),
        )
        with redirect_stdout(StringIO()):  # azure-ai-ml prints a dot for each look
            self.client.online_deployments.begin_create_or_update(deployment).result()

    def target(self, deployment: str, body: str) -> Target:
        """Return where to send requests to a deployment."""
        key = self.client.online_endpoints.get_keys(self.name).primary_key
        headers = {"Authorization": f"Bearer {key}", "azureml-model-deployment": deployment}
        uri = self.client.online_endpoints.get(self.name).scoring_uri
        return Target(uri, body, {"Content-Type": "application/json", **headers})


@contextmanager
def _endpoint(model: Path) -> Iterator[_Endpoint]:
    with local_workspace() as workspace, use(workspace), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # azure-ai-ml's own
        from azure.ai.ml import MLClient  # noqa: PLC0415 - it reads the workspace's variables
        from azure.ai.ml.entities import ManagedOnlineEndpoint, Model  # noqa: PLC0415
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415

        names = (workspace.subscription, workspace.resource_group, workspace.name)
        client = MLClient(DefaultAzureCredential(), *names)
        client.models.create_or_update(Model(name="classifier", version="1", path=str(model), type="mlflow_model"))
        client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name="benchmark")).result()
        yield _Endpoint(client, "benchmark")


def deploy() -> list[Figure]:
    """From azure-ai-ml's call to create a deployment until it sees it succeeded, in an environment that is there."""
    with _model() as model, _endpoint(model) as endpoint:
        times = tuple(timed(lambda name=name: endpoint.deploy(name)) for name in ("first", "second", "third"))  # type: ignore[misc]
    return [Figure("deployment ready, by azure-ai-ml", "s", times, 6)]


def online() -> list[Figure]:
    """Requests a second beside those of other servers, in turn; times of a request beside `predict` in process."""
    require_wrk()
    loads: dict[tuple[str, int], list[Load]] = {}
    in_process: list[float] = []
    with _model() as model, ExitStack() as stack:
        body, rows = _bodies(model)
        endpoint = stack.enter_context(_endpoint(model))
        endpoint.deploy("blue")
        targets = {
            OURS: endpoint.target("blue", body),
            AZURE: Target(stack.enter_context(peers.azure_server(model)), body),
            MLFLOW: Target(stack.enter_context(peers.mlflow_server(model)), rows),
        }
        for target in targets.values():
            press(target, connections=1, seconds=1)
        predict = _predict(model)
        for _ in range(ROUNDS):
            in_process += [1000 * timed(predict) for _ in range(300)]
            for connections in CONNECTIONS:
                for name, target in targets.items():
                    load = press(target, connections=connections, seconds=SECONDS)
                    loads.setdefault((name, connections), []).append(load)
    return [*_rates(loads), *_times(loads, in_process)]


def _bodies(model: Path) -> tuple[str, str]:
    """The model's example of two rows as Azure ML takes it, and as MLflow does."""
    example = json.loads((model / "input_example.json").read_text())
    return json.dumps({"input_data": {**example, "index": [0, 1]}}), json.dumps({"dataframe_split": example})


def _predict(model: Path) -> Any:
    import mlflow  # noqa: PLC0415

    from diabetes import saving  # noqa: PLC0415

    loaded, example = mlflow.pyfunc.load_model(str(model)), saving.input_example()
    return lambda: loaded.predict(example)


def _rates(loads: dict[tuple[str, int], list[Load]]) -> Iterator[Figure]:
    for connections in CONNECTIONS:
        full = connections == max(CONNECTIONS)
        for name in (OURS, AZURE, MLFLOW):
            rates = tuple(load.rate for load in loads[name, connections])
            least = 2200 if full and name == OURS else None
            yield Figure(f"{name}, {connections} at once", "requests/s", rates, at_least=least)
        for peer in (AZURE, MLFLOW):
            pairs = zip(loads[OURS, connections], loads[peer, connections], strict=True)
            ratios = tuple(ours.rate / other.rate for ours, other in pairs)
            least = 10 if full and peer == AZURE else None
            yield Figure(f"amlocal over {peer}, {connections} at once", "x", ratios, at_least=least)


def _times(loads: dict[tuple[str, int], list[Load]], in_process: list[float]) -> Iterator[Figure]:
    predict = Figure("predict in process", "ms", tuple(in_process))
    yield predict
    for name in (OURS, AZURE, MLFLOW):
        yield Figure(f"{name}, median, 1 at once", "ms", tuple(load.median_ms for load in loads[name, 1]))
        cpu = tuple(load.cpu_us for load in loads[name, max(CONNECTIONS)])
        yield Figure(f"{name}, CPU time of a request, {max(CONNECTIONS)} at once", "us", cpu)
    over = tuple(load.median_ms - predict.median for load in loads[OURS, 1])
    yield Figure("amlocal's median over predict in process, 1 at once", "ms", over, 1)
    yield Figure("amlocal, 99th percentile, 64 at once", "ms", tuple(load.p99_ms for load in loads[OURS, 64]))
