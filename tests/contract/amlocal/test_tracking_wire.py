"""What MLflow's own client sees of the workspace: the calls that a training script makes, and Azure's refusals."""

import asyncio
import contextlib
import json
import os
import re
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import mlflow
import numpy as np
import pytest
import requests
import uvicorn
from mlflow import MlflowClient
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LogisticRegression

from amlocal.app import App
from amlocal.blobs import BlobStore
from amlocal.core.context import Context, Identity, random_ids, system_clock
from amlocal.core.database import Database
from amlocal.core.documents import Documents
from amlocal.core.errors import Unauthorized
from amlocal.tracking.protocol import RunRecord
from amlocal.tracking.session import browser_link
from amlocal.tracking.tracking import Tracking

# MLflow's own, on the import of its model flavours
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint is inferred as AnyType:UserWarning")
TOKEN = "the-workspace's-token"
STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass
class Server:
    """A workspace with nothing but tracking, on plain loopback HTTP."""

    uri: str
    blobs: BlobStore
    tracking: Tracking
    loop: asyncio.AbstractEventLoop

    def record(self, run: RunRecord) -> None:
        """Record a run as the workspace does for a job."""
        asyncio.run_coroutine_threadsafe(self.tracking.record_run(run), self.loop).result(timeout=120)


def check(token: str) -> None:
    if token != TOKEN:
        raise Unauthorized("The access token is not one that this workspace signed.")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("workspace")
    database = Database(root / "workspace.db")
    blobs = BlobStore(root / "chunks", database, system_clock, random_ids)
    blobs.create_container("azureml")
    (root / "tracking").mkdir()
    tracking = Tracking(root / "tracking", blobs, lenient=False, environ=os.environ)
    context = Context(Identity("s", "g", "w", random_ids()), "http://x", Documents(database), system_clock, random_ids)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        await tracking.start()
        loops.append(asyncio.get_running_loop())
        ready.set()
        yield
        await tracking.stop()

    loops: list[asyncio.AbstractEventLoop] = []
    ready = threading.Event()
    app = App(context, tracking.routes(check), check, lifespan)
    listener = socket.create_server(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    assert ready.wait(timeout=30)
    yield Server(f"http://127.0.0.1:{listener.getsockname()[1]}/mlflow", blobs, tracking, loops[0])
    running.should_exit = True
    thread.join(timeout=30)
    listener.close()
    database.close()


@pytest.fixture
def uri(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Lead MLflow's fluent API to the workspace for one test."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", TOKEN)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setattr("mlflow.tracking.fluent._active_experiment_id", None)  # another test's set_experiment
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(server.uri)
    yield server.uri
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri(before)


@pytest.fixture
def client(uri: str) -> MlflowClient:
    return MlflowClient(uri)


def test_the_first_call_waits_for_mlflow_and_is_answered(client: MlflowClient) -> None:
    assert client.get_experiment("0").name == "Default"


def test_a_job_resumes_the_run_that_bears_its_name(
    server: Server, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tags = {"mlflow.source.type": "JOB", "team": "care"}
    server.record(RunRecord("goofy_fish_abc123", "diabetes", "Goofy Fish", "RUNNING", STARTED, tags=tags))
    monkeypatch.setenv("MLFLOW_RUN_ID", "goofy_fish_abc123")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "diabetes")
    with mlflow.start_run() as active:
        mlflow.log_param("seed", 7)
        mlflow.log_metric("accuracy", 0.9)
    run = client.get_run("goofy_fish_abc123")
    assert active.info.run_id == "goofy_fish_abc123"
    assert (run.info.run_name, run.data.params, run.data.metrics) == ("Goofy Fish", {"seed": "7"}, {"accuracy": 0.9})
    assert run.data.tags["team"] == "care"


def test_a_recorded_end_keeps_what_the_job_logged(server: Server, client: MlflowClient) -> None:
    server.record(RunRecord("ending", "ends", "Ending", "RUNNING", STARTED, tags={"kept": "yes"}))
    client.log_metric("ending", "loss", 0.1)
    ended = datetime(2026, 1, 2, 4, tzinfo=UTC)
    for _ in range(2):  # the same record twice changes nothing
        server.record(RunRecord("ending", "ends", "Renamed", "FAILED", STARTED, ended))
    run = client.get_run("ending")
    assert (run.info.status, run.info.run_name, run.info.end_time) == ("FAILED", "Renamed", ended.timestamp() * 1000)
    assert (run.data.metrics, run.data.tags["kept"]) == ({"loss": 0.1}, "yes")


def test_a_run_may_have_the_longest_job_name(server: Server, client: MlflowClient) -> None:
    name = "j" * 255
    server.record(RunRecord(name, "long", "Long", "SCHEDULED", STARTED))
    client.log_text(name, "hello", "hello.txt")
    assert [file.path for file in client.list_artifacts(name)] == ["hello.txt"]


def test_a_deleted_experiment_comes_back_with_its_next_job(server: Server, client: MlflowClient) -> None:
    client.delete_experiment(client.create_experiment("phoenix"))
    server.record(RunRecord("feather", "phoenix", "Feather", "RUNNING", STARTED))
    experiment = client.get_experiment_by_name("phoenix")
    assert experiment is not None
    assert experiment.lifecycle_stage == "active"


def test_runs_are_found_by_what_was_logged(client: MlflowClient) -> None:
    experiment = client.create_experiment("searched")
    low, high = (client.create_run(experiment) for _ in range(2))
    client.log_metric(low.info.run_id, "auc", 0.5)
    client.log_metric(high.info.run_id, "auc", 0.9)
    found = client.search_runs([experiment], "metrics.auc > 0.8")
    assert [run.info.run_id for run in found] == [high.info.run_id]


@pytest.mark.parametrize(
    "name", ["plain.txt", "with space.txt", "größe-数据.txt", "a&b=c+d.txt", "semi;colon,comma.txt"]
)
def test_artifacts_come_back_under_the_name_they_were_logged_under(
    client: MlflowClient, tmp_path: Path, name: str
) -> None:
    run = client.create_run("0").info.run_id
    (tmp_path / name).write_bytes(b"content of " + name.encode())
    client.log_artifact(run, str(tmp_path / name), "some folder")
    (tmp_path / "fetched").mkdir()
    fetched = Path(client.download_artifacts(run, "some folder", str(tmp_path / "fetched")))
    assert [file.name for file in fetched.iterdir()] == [name]
    assert (fetched / name).read_bytes() == b"content of " + name.encode()


def test_artifacts_are_the_blobs_that_azureml_paths_name(server: Server, client: MlflowClient) -> None:
    server.record(RunRecord("with_artifacts", "blobs", "b", "RUNNING", STARTED))
    client.log_text("with_artifacts", "weights", "model/weights.txt")
    server.blobs.put_bytes("azureml", "ExperimentRun/dcid.with_artifacts/user_logs/std_log.txt", b"hello")
    assert server.blobs.get("azureml", "ExperimentRun/dcid.with_artifacts/model/weights.txt") is not None
    listed = [(file.path, file.is_dir, file.file_size) for file in client.list_artifacts("with_artifacts")]
    assert listed == [("model", True, None), ("user_logs", True, None)]
    assert mlflow.artifacts.load_text("runs:/with_artifacts/user_logs/std_log.txt") == "hello"


def test_figures_dictionaries_and_tables_are_logged(client: MlflowClient) -> None:
    from matplotlib.figure import Figure  # noqa: PLC0415 - only this test draws

    run = client.create_run("0").info.run_id
    client.log_figure(run, Figure(), "plots/roc.png")
    client.log_dict(run, {"a": 1}, "facts.json")
    client.log_table(run, {"x": [1, 2]}, "table.json")
    assert {file.path for file in client.list_artifacts(run)} == {"plots", "facts.json", "table.json"}


def test_a_download_of_nothing_is_not_found(client: MlflowClient) -> None:
    run = client.create_run("0").info.run_id
    with pytest.raises(MlflowException, match=r"missing\.txt"):
        client.download_artifacts(run, "missing.txt")


def test_autolog_without_models_logs_a_training(client: MlflowClient, uri: str) -> None:
    experiment = client.create_experiment("autologged")
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True)
    try:
        with mlflow.start_run(experiment_id=experiment) as active:
            LogisticRegression(C=0.5).fit(np.array([[0.0], [1.0], [0.2], [0.8]]), [0, 1, 0, 1])
    finally:
        mlflow.sklearn.autolog(disable=True)
    run = client.get_run(active.info.run_id)
    assert run.data.params["C"] == "0.5"
    assert "training_accuracy_score" in run.data.metrics


def test_a_model_saved_and_logged_as_artifacts_is_loaded_from_its_run(client: MlflowClient, tmp_path: Path) -> None:
    features = np.array([[0.0], [1.0]])
    mlflow.sklearn.save_model(LogisticRegression().fit(features, [0, 1]), tmp_path / "model", pip_requirements=[])
    run = client.create_run("0").info.run_id
    client.log_artifacts(run, str(tmp_path / "model"), "model")
    assert list(mlflow.sklearn.load_model(f"runs:/{run}/model").predict(features)) == [0, 1]


def test_logging_a_model_ends_in_404_as_on_azure(uri: str) -> None:
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    with (
        mlflow.start_run(experiment_id="0"),
        pytest.raises(MlflowException, match="logged-models failed with error code 404") as caught,
    ):
        mlflow.sklearn.log_model(model, name="model", pip_requirements=[])
    assert "save_model and log_artifacts" in str(caught.value)


def test_listing_a_folder_of_a_run_ends_in_404_as_on_azure(client: MlflowClient) -> None:
    # MLflow 3 also looks for a logged model of the folder's name; downloads take no notice of the refusal.
    run = client.create_run("0").info.run_id
    with pytest.raises(MlflowException, match="logged-models/search failed with error code 404"):
        client.list_artifacts(run, "model")


def test_a_folder_is_listed_by_its_own_uri(client: MlflowClient) -> None:
    run = client.create_run("0").info
    client.log_text(run.run_id, "weights", "model/weights.txt")
    listed = mlflow.artifacts.list_artifacts(artifact_uri=f"{run.artifact_uri}/model")
    assert [(file.path, file.file_size) for file in listed] == [("model/weights.txt", 7)]


def test_a_trace_ends_in_403_as_on_azure(client: MlflowClient) -> None:
    with pytest.raises(MlflowException, match="403"):
        client.search_traces(locations=["0"])


def test_registering_through_mlflow_says_where_to_register(client: MlflowClient) -> None:
    with pytest.raises(MlflowException, match="azure-ai-ml") as caught:
        client.create_registered_model("diabetes")
    assert caught.value.error_code == "NOT_IMPLEMENTED"


@pytest.mark.parametrize("place", ["file:///{folder}", "{folder}", "s3://bucket/x"])
def test_an_experiment_keeps_no_artifacts_on_the_machine(client: MlflowClient, tmp_path: Path, place: str) -> None:
    with pytest.raises(MlflowException, match="workspace's own storage") as caught:
        client.create_experiment("elsewhere", artifact_location=place.format(folder=tmp_path))
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"
    assert client.get_experiment_by_name("elsewhere") is None


def test_a_place_cannot_be_smuggled_past_the_look_at_it(server: Server, tmp_path: Path) -> None:
    inner = json.dumps({"name": "smuggled", "artifactLocation": f"file://{tmp_path}"})
    bodies = [inner.encode(), json.dumps(inner).encode(), inner.encode("utf-16")]
    for content in bodies:
        answer = ask_as_program(server, "experiments/create", content)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_a_file_cannot_be_uploaded_by_the_browsers_short_way(server: Server, client: MlflowClient) -> None:
    run = client.create_run("0").info.run_id
    url = f"{server.uri}/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=../../x"
    answer = requests.post(url, b"x", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)
    assert (answer.status_code, answer.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")


def ask_as_program(server: Server, path: str, content: bytes) -> requests.Response:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    return requests.post(f"{server.uri}/api/2.0/mlflow/{path}", content, headers=headers, timeout=60)


def test_a_killed_mlflow_comes_back_with_all_it_knew(server: Server, client: MlflowClient) -> None:
    run = client.create_run("0").info.run_id
    process = server.tracking._mlflow._process
    assert process is not None
    process.kill()
    with contextlib.suppress(MlflowException):  # the call that finds out
        client.get_run(run)
    assert client.get_run(run).info.run_id == run


def test_mlflows_pages_open_with_the_link(server: Server) -> None:
    with requests.Session() as browser:
        browser.headers["Host"] = server.uri.split("/")[2]
        welcome = browser.get(browser_link(server.uri.removesuffix("/mlflow"), TOKEN))
        cookie = {"Cookie": welcome.headers["Set-Cookie"].partition(";")[0]}  # requests keeps Secure ones from http
        page = browser.get(f"{server.uri}/", headers=cookie).text
        script = re.search(r'src="(static-files/[^"]+\.js)"', page)
        assert script is not None  # relative, so that it works below a prefix
        assert browser.get(f"{server.uri}/{script[1]}", headers=cookie).status_code == 200
        assert browser.get(f"{server.uri}/{script[1]}").status_code == 401


def test_a_wrong_token_is_refused(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "someone else's")
    with pytest.raises(MlflowException, match="not one that this workspace signed") as caught:
        MlflowClient(uri).get_experiment("0")
    assert caught.value.error_code == "UNAUTHENTICATED"


class TestLimits:
    """Azure's limits of a run, by MLflow's own client: whole, across calls, and by callers at once."""

    def refused(self, call: Callable[[], object], text: str) -> None:
        with pytest.raises(MlflowException, match=f"INVALID_PARAMETER_VALUE: Response: .*{text}"):
            call()

    def test_a_run_has_at_most_200_parameters(self, uri: str, client: MlflowClient) -> None:
        with mlflow.start_run() as active:
            run = active.info.run_id
            self.refused(lambda: mlflow.log_params({f"p{n}": n for n in range(250)}), "FieldName=Parameters, Limit=200")
            assert len(client.get_run(run).data.params) == 200  # MLflow's client sends 100 at a time
            self.refused(lambda: client.log_param(run, "more", 1), "Limit=200, Size=201")
            client.log_param(run, "p199", 199)  # what is there already may be sent again
            assert len(client.get_run(run).data.params) == 200

    def test_a_run_has_at_most_50_metrics(self, client: MlflowClient) -> None:
        run = client.create_run("0").info.run_id
        client.log_batch(run, metrics=[Metric(f"m{n}", 1.0, 1, 0) for n in range(50)])
        self.refused(lambda: client.log_metric(run, "more", 1.0), "Too many metrics for this run")
        client.log_metric(run, "m1", 2.0)
        many = [Metric("m1", float(n), n, n) for n in range(251)]
        self.refused(lambda: client.log_batch(run, metrics=many), "MetricV2Dto.Value/Count, Limit=250, Size=251")
        assert len(client.get_metric_history(run, "m1")) == 2

    def test_a_run_has_at_most_50_tags(self, client: MlflowClient) -> None:
        run = client.create_run("0", tags={f"t{n}": "x" for n in range(50)}).info.run_id
        self.refused(lambda: client.set_tag(run, "more", "x"), "FieldName=RunDto.Tags/Count, Limit=50, Size=51")
        self.refused(lambda: client.set_tag(run, "t1", "x" * 1001), "RunDto.Tags.Value/Length, Limit=1000")

    def test_callers_at_once_do_not_pass_it_together(self, uri: str, client: MlflowClient) -> None:
        run = client.create_run("0").info.run_id
        with mlflow.start_run(run):
            mlflow.log_params({f"p{n}": "x" for n in range(196)})

        def one_more(number: int) -> bool:
            try:
                client.log_param(run, f"r{number}", "x")
            except MlflowException:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(one_more, range(16))) == 4
        assert len(client.get_run(run).data.params) == 200
