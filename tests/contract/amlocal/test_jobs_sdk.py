"""Command jobs as the unmodified azure-ai-ml sees them, from submission to download."""

import io
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from amlocal import testing
from amlocal.jobs.submission import SETTINGS
from amlocal.online.operation_responses import with_defaults
from tests.unit.amlocal.runtimes.wheelhouse import WheelHouse

pytestmark = [
    pytest.mark.xdist_group("amlocal-jobs"),  # they share one workspace
    # azure-ai-ml's own, on its import
    pytest.mark.filterwarnings("ignore::DeprecationWarning:azure.*"),
]
ENVIRONMENT = "AzureML-minimal:1"  # a curated one, so what runs the tests runs the jobs
WAIT_S = 60


def eventually(what: str, condition: Callable[[], Any]) -> Any:
    """Return what the condition does as soon as that is true; fail after a minute."""
    tick, deadline = threading.Event(), time.monotonic() + WAIT_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen within {WAIT_S} s"
        tick.wait(0.1)
    return found


@dataclass
class JobSite:
    """A workspace, the SDK's client of it, and a folder for the test's files."""

    client: Any
    workspace: testing.LocalWorkspace
    folder: Path

    def submit(self, command: str, **options: Any) -> Any:
        """Submit a command job."""
        from azure.ai.ml import command as make  # noqa: PLC0415 - importing it asks the workspace for the cloud

        return self.client.jobs.create_or_update(make(**{"command": command, "environment": ENVIRONMENT, **options}))

    def status(self, name: str) -> str:
        return str(self.client.jobs.get(name).status.value)

    def ended(self, name: str) -> str:
        """Wait until a job has ended; return how."""
        ends = ("Completed", "Failed", "Canceled")
        return str(eventually(f"the end of {name}", lambda: (s := self.status(name)) in ends and s))

    def in_status(self, name: str, status: str) -> None:
        eventually(f"{status} of {name}", lambda: self.status(name) == status)

    def run(self, command: str, **options: Any) -> tuple[str, str]:
        """Run a job to its end; return its name and how it ended."""
        name = self.submit(command, **options).name
        return name, self.ended(name)

    def log(self, name: str) -> str:
        """Return a job's log as it can be downloaded."""
        target = self.folder / "logs" / name
        self.client.jobs.download(name, download_path=target, all=True)
        return (target / "artifacts" / "user_logs" / "std_log.txt").read_text()

    def signal(self, name: str) -> Path:
        """Return the path of a file that a job waits for, as `wait_for` has it."""
        return self.folder / name


def wait_for(path: Path) -> str:
    """Return a shell command that goes on when there is a file."""
    return f"until [ -e '{path}' ]; do sleep 0.05; done"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobSite]:
    with testing.local_workspace() as workspace, testing.use(workspace):
        from azure.ai.ml import MLClient  # noqa: PLC0415 - as above
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415

        names = (workspace.subscription, workspace.resource_group, workspace.name)
        with DefaultAzureCredential() as credential:
            yield JobSite(MLClient(credential, *names), workspace, tmp_path_factory.mktemp("jobs"))


MAIN = """
import os, pathlib, sys
data, folder, model, rate, result, report = sys.argv[1:]
print("data", pathlib.Path(data).read_text().strip())
print("folder", sorted(path.name for path in pathlib.Path(folder).iterdir()))
print("model", sorted(path.name for path in pathlib.Path(model).iterdir()))
print("rate", rate, "colour", os.environ["COLOUR"])
pathlib.Path(result, "part").mkdir()
pathlib.Path(result, "part", "0.csv").write_text("1,2\\n")
pathlib.Path(report).write_text("a report")
pathlib.Path("outputs", "model").mkdir(parents=True)
pathlib.Path("outputs", "model", "MLmodel").write_text("flavors: {}")
"""


@pytest.fixture(scope="module")
def finished(site: JobSite) -> Any:
    """A job that used everything a command job can, after it ended."""
    from azure.ai.ml import Input, Output  # noqa: PLC0415
    from azure.ai.ml.entities import Data, Model  # noqa: PLC0415

    source = site.folder / "source"
    (source / "code").mkdir(parents=True)
    (source / "code" / "main.py").write_text(MAIN)
    (source / "diabetes.csv").write_text("a,b\n")
    (source / "many").mkdir()
    (source / "many" / "1.csv").write_text("1")
    (source / "many" / "2.csv").write_text("2")
    (source / "fitted").mkdir()
    (source / "fitted" / "MLmodel").write_text("flavors: {}")
    site.client.data.create_or_update(Data(name="many", version="1", path=str(source / "many"), type="uri_folder"))
    site.client.models.create_or_update(
        Model(name="fitted", version="1", path=str(source / "fitted"), type="mlflow_model")
    )
    names = ("inputs.data", "inputs.folder", "inputs.model", "inputs.rate", "outputs.result", "outputs.report")
    job = site.submit(
        "python main.py " + " ".join(f"${{{{{name}}}}}" for name in names),
        code=str(source / "code"),
        inputs={
            "data": Input(type="uri_file", path=str(source / "diabetes.csv")),
            "folder": Input(type="uri_folder", path="azureml:many@latest"),
            "model": Input(type="mlflow_model", path="azureml:fitted:1"),
            "rate": 0.1,
        },
        outputs={
            "result": Output(type="uri_folder", name="result"),
            "report": Output(type="uri_file", name="report", version="7"),
        },
        environment_variables={"COLOUR": "blue"},
        compute="cpu-cluster",
        experiment_name="contract",
        display_name="Everything",
        tags={"kind": "all"},
    )
    assert site.ended(job.name) == "Completed", site.log(job.name)
    return site.client.jobs.get(job.name)


def test_a_job_sees_its_inputs_and_its_variables(site: JobSite, finished: Any) -> None:
    lines = site.log(finished.name).splitlines()
    assert [line for line in lines if not line.startswith("[amlocal")] == [
        "data a,b",
        "folder ['1.csv', '2.csv']",
        "model ['MLmodel']",
        "rate 0.1 colour blue",
    ]


def test_a_job_comes_back_as_it_was_sent(finished: Any) -> None:
    assert (finished.display_name, finished.experiment_name, finished.tags) == (
        "Everything", "contract", {"kind": "all"}
    )  # fmt: skip
    assert finished.compute.endswith("cpu-cluster")
    assert finished.environment_variables == {"COLOUR": "blue"}
    assert finished.services["Studio"].endpoint.partition("?")[0].endswith(f"/runs/{finished.name}")


def test_all_that_a_job_left_can_be_downloaded(site: JobSite, finished: Any, tmp_path: Path) -> None:
    site.client.jobs.download(finished.name, download_path=tmp_path, all=True)
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {
        "artifacts/user_logs/std_log.txt",
        "artifacts/outputs/model/MLmodel",
        "named-outputs/result/part/0.csv",
        "named-outputs/report/report",
    }


def test_one_output_can_be_downloaded(site: JobSite, finished: Any, tmp_path: Path) -> None:
    site.client.jobs.download(finished.name, download_path=tmp_path, output_name="result")
    assert (tmp_path / "named-outputs" / "result" / "part" / "0.csv").read_text() == "1,2\n"


def test_outputs_that_name_an_asset_are_registered(site: JobSite, finished: Any) -> None:
    result, report = site.client.data.get("result", label="latest"), site.client.data.get("report", "7")
    assert (result.version, result.type, report.type) == ("1", "uri_folder", "uri_file")
    assert result.path.endswith(f"/azureml/{finished.name}/result/")
    assert report.path.endswith(f"/azureml/{finished.name}/report")


def test_an_output_is_the_input_of_another_job(site: JobSite, finished: Any) -> None:
    from azure.ai.ml import Input  # noqa: PLC0415

    path = f"azureml://jobs/{finished.name}/outputs/result"
    name, status = site.run("ls -R ${{inputs.x}}", inputs={"x": Input(type="uri_folder", path=path)})
    assert (status, "0.csv" in site.log(name)) == ("Completed", True)


def test_a_model_is_registered_from_a_jobs_artifacts(site: JobSite, finished: Any, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Model  # noqa: PLC0415

    path = f"azureml://jobs/{finished.name}/outputs/artifacts/paths/outputs/model/"
    model = site.client.models.create_or_update(Model(name="from-job", path=path, type="mlflow_model"))
    assert (model.version, model.job_name) == ("1", finished.name)
    site.client.models.download("from-job", "1", download_path=tmp_path)
    files = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {"from-job/model/MLmodel": "flavors: {}"}


def test_a_job_is_listed_archived_and_restored(site: JobSite, finished: Any) -> None:
    def listed(view: str) -> bool:
        return finished.name in [job.name for job in site.client.jobs.list(list_view_type=view)]

    site.client.jobs.archive(finished.name)
    assert [listed(view) for view in ("ActiveOnly", "ArchivedOnly", "All")] == [False, True, True]
    site.client.jobs.restore(finished.name)
    assert [listed(view) for view in ("ActiveOnly", "ArchivedOnly", "All")] == [True, False, True]


def test_a_job_can_be_renamed_and_tagged(site: JobSite, finished: Any) -> None:
    job = site.client.jobs.get(finished.name)
    job.display_name, job.tags = "Renamed", {"kind": "all", "seen": "yes"}
    site.client.jobs.create_or_update(job)
    kept = site.client.jobs.get(finished.name)
    assert (kept.display_name, kept.tags, kept.status) == ("Renamed", {"kind": "all", "seen": "yes"}, "Completed")


class Screen(io.StringIO):
    """A terminal; when it shows a text, a file appears that a job waits for."""

    def __init__(self, text: str, path: Path) -> None:
        super().__init__()
        self._text, self._path = text, path

    def write(self, text: str) -> int:
        if self._text in text:
            self._path.touch()
        return super().write(text)


def test_a_stream_shows_the_log_while_the_job_runs(site: JobSite, monkeypatch: pytest.MonkeyPatch) -> None:
    # The job goes on only when its first line was shown: were it shown at the end, there would be no end.
    go = site.signal("shown")
    screen = Screen("before the wait", go)
    job = site.submit(f"echo before the wait; {wait_for(go)}; printf 'after the wait'")
    monkeypatch.setattr("sys.stdout", screen)
    site.client.jobs.stream(job.name)
    shown = screen.getvalue()
    assert shown.index("before the wait") < shown.index("after the wait") < shown.index("Execution Summary")


def test_a_stream_shows_the_log_of_a_job_that_has_just_ended(site: JobSite, capsys: pytest.CaptureFixture[str]) -> None:
    name, _ = site.run("echo quick as a flash")
    site.client.jobs.stream(name)
    assert "quick as a flash" in capsys.readouterr().out


def test_a_log_that_is_no_text_is_streamed_all_the_same(site: JobSite, capsys: pytest.CaptureFixture[str]) -> None:
    name, _ = site.run(r"printf '\xff\xfe caf\xc3\xa9 \0 end\n'")
    site.client.jobs.stream(name)
    assert "caf\u00e9" in capsys.readouterr().out


def test_a_failing_command_fails_the_job_with_its_last_line(site: JobSite, capsys: pytest.CaptureFixture[str]) -> None:
    from azure.ai.ml.exceptions import JobException  # noqa: PLC0415

    job = site.submit("python -c 'raise ValueError(\"no such column\")'")
    with pytest.raises(JobException, match="ValueError: no such column"):
        site.client.jobs.stream(job.name)
    assert site.status(job.name) == "Failed"
    assert "Traceback" in capsys.readouterr().out


def refused(site: JobSite, **options: Any) -> str:
    """Submit what cannot run; return the one line that says why."""
    from azure.core.exceptions import AzureError  # noqa: PLC0415

    with pytest.raises(AzureError) as error:
        site.submit("true", **options)
    return str(error.value).splitlines()[0]


def test_a_missing_compute_is_refused(site: JobSite) -> None:
    assert "Unknown compute target 'no-such-compute'." in refused(site, compute="no-such-compute")


def test_a_missing_environment_is_refused(site: JobSite) -> None:
    assert "no-such-environment" in refused(site, environment="no-such-environment:1")


def test_a_missing_data_asset_is_refused(site: JobSite) -> None:
    from azure.ai.ml import Input  # noqa: PLC0415

    missing = Input(type="uri_file", path="azureml:no-such-data:1")
    assert "no-such-data:1" in refused(site, inputs={"x": missing})


def test_an_input_that_the_job_does_not_have_is_refused(site: JobSite) -> None:
    from azure.ai.ml import command as make  # noqa: PLC0415
    from azure.core.exceptions import AzureError  # noqa: PLC0415

    job = make(command="echo $[[x]] ${{outputs.y}}", environment=ENVIRONMENT)
    with pytest.raises(AzureError, match=r"The command names \$\{\{outputs.y\}\}"):
        site.client.jobs.create_or_update(job)


def test_more_instances_than_one_machine_has_are_refused(site: JobSite) -> None:
    assert "amlocal is one machine" in refused(site, instance_count=2)


TORCH = "echo $RANK $LOCAL_RANK $WORLD_SIZE $MASTER_ADDR $NODE_RANK"


def test_one_process_of_a_distribution_is_told_its_rank(site: JobSite) -> None:
    from azure.ai.ml import MpiDistribution, PyTorchDistribution, TensorFlowDistribution  # noqa: PLC0415

    torch = site.submit(TORCH, distribution=PyTorchDistribution(process_count_per_instance=1)).name
    mpi = site.submit("echo $OMPI_COMM_WORLD_RANK", distribution=MpiDistribution(process_count_per_instance=1)).name
    tensor = site.submit("echo $TF_CONFIG", distribution=TensorFlowDistribution(worker_count=1)).name
    assert {site.ended(name) for name in (torch, mpi, tensor)} == {"Completed"}
    assert "\n0 0 1 127.0.0.1 0\n" in site.log(torch)
    assert "\n0\n" in site.log(mpi)
    assert '"task": {"type": "worker", "index": 0}' in site.log(tensor)


def test_several_processes_run_with_a_log_each_and_the_first_is_streamed(
    site: JobSite, capsys: pytest.CaptureFixture[str]
) -> None:
    from azure.ai.ml import PyTorchDistribution  # noqa: PLC0415

    job = site.submit(TORCH, distribution=PyTorchDistribution(process_count_per_instance=3))
    site.client.jobs.stream(job.name)
    assert site.ended(job.name) == "Completed"
    streamed = capsys.readouterr().out
    assert "0 0 3 127.0.0.1 0" in streamed
    assert "1 1 3 127.0.0.1 0" not in streamed
    site.log(job.name)
    logs = site.folder / "logs" / job.name / "artifacts" / "user_logs"
    said = [(logs / f"std_log_process_{rank}.txt").read_text() for rank in range(3)]
    assert said == [f"{rank} {rank} 3 127.0.0.1 0\n" for rank in range(3)]


BEHALF = """
import os
from azure.ai.ml import MLClient
from azure.ai.ml.identity import AzureMLOnBehalfOfCredential
names = [os.environ[f"AZUREML_ARM_{name}"] for name in ("SUBSCRIPTION", "RESOURCEGROUP", "WORKSPACE_NAME")]
print("compute", MLClient(AzureMLOnBehalfOfCredential(), *names).compute.get("cpu-cluster").type)
"""


def test_a_job_acts_on_behalf_of_its_submitter(site: JobSite) -> None:
    from azure.ai.ml import UserIdentityConfiguration  # noqa: PLC0415

    source = site.folder / "behalf"
    source.mkdir()
    (source / "main.py").write_text(BEHALF)
    name, ended = site.run("python main.py", code=str(source), identity=UserIdentityConfiguration())
    assert (ended, "compute amlcompute" in site.log(name)) == ("Completed", True)


def test_a_setting_that_does_nothing_here_is_said_in_the_log(site: JobSite) -> None:
    from azure.ai.ml.entities import VsCodeJobService  # noqa: PLC0415

    job = site.submit("echo", services={"code": VsCodeJobService()}, shm_size="8g", docker_args="--memory 4g")
    assert site.client.jobs.get(job.name).services["code"].status == "Failed"
    assert site.ended(job.name) == "Completed"
    log = site.log(job.name)
    for line in ("service code (VSCode): not started", "shm_size 8g: not set", "docker_args --memory 4g: not set"):
        assert line in log


def test_no_setting_that_the_sdk_can_send_is_unknown_here() -> None:
    """Each property of the SDK's models of a command job has a row in the table of settings."""
    from azure.ai.ml._restclient.arm_ml_service import models  # noqa: PLC0415

    parts: dict[str, list[Any]] = {
        "": [models.CommandJob],
        "resources.": [models.JobResourceConfiguration],
        "queueSettings.": [models.QueueSettings],
        "limits.": [models.CommandJobLimits],
        "notificationSetting.": [models.NotificationSetting],
        "distribution.": [models.PyTorch, models.Mpi, models.TensorFlow],
        "identity.": [models.AmlToken, models.ManagedIdentity, models.UserIdentity],
    }
    sent = {
        f"{above}{field._rest_name}"
        for above, kinds in parts.items()
        for kind in kinds
        for field in kind()._attr_to_rest_field.values()
    }
    whole = {path.removesuffix(".") for path in parts if path}
    assert {"command", "resources.shmSize", "distribution.workerCount", "identity.clientId"} <= sent
    assert sent - whole - SETTINGS.keys() == set()


def test_no_setting_of_an_online_deployment_that_the_sdk_can_send_is_unknown_here() -> None:
    """Each is kept, and so served or spoken of in the log; what is not kept unless it is sent is among the latter."""
    from azure.ai.ml._restclient.arm_ml_service import models  # noqa: PLC0415

    sent = {field._rest_name for field in models.ManagedOnlineDeployment()._attr_to_rest_field.values()}
    assert "egressPublicNetworkAccess" in sent
    kept = with_defaults({key: {"x": "y"} for key in sent})
    assert sent - {"provisioningState"} - kept.keys() == set()


def test_a_running_job_is_canceled(site: JobSite) -> None:
    job = site.submit("echo begun; sleep 600")
    site.in_status(job.name, "Running")
    site.client.jobs.begin_cancel(job.name).result()
    assert site.ended(job.name) == "Canceled"


def test_a_job_past_its_limit_is_canceled_with_a_warning(site: JobSite, capsys: pytest.CaptureFixture[str]) -> None:
    from azure.ai.ml import command as make  # noqa: PLC0415

    job = make(command="sleep 600", environment=ENVIRONMENT)
    job.set_limits(timeout=1)
    name = site.client.jobs.create_or_update(job).name
    site.client.jobs.stream(name)
    assert site.status(name) == "Canceled"
    assert "longer than its limit of PT1S" in capsys.readouterr().out


def test_a_job_without_compute_is_serverless_and_runs(site: JobSite) -> None:
    name, status = site.run("true")
    assert (status, site.client.jobs.get(name).compute) == ("Completed", None)


def test_a_full_compute_queues_and_goes_on_when_a_job_has_ended(site: JobSite) -> None:
    from azure.ai.ml.entities import AmlCompute  # noqa: PLC0415

    site.client.compute.begin_create_or_update(AmlCompute(name="one-node", min_instances=0, max_instances=1)).result()
    go = site.signal("first-may-end")
    first, second = (site.submit(wait_for(go), compute="one-node").name for _ in range(2))
    site.in_status(first, "Running")
    assert site.status(second) == "Queued"
    go.touch()
    assert (site.ended(first), site.ended(second)) == ("Completed", "Completed")


def test_a_compute_that_grows_lets_the_next_job_in(site: JobSite) -> None:
    from azure.ai.ml.entities import AmlCompute  # noqa: PLC0415

    def scale(nodes: int) -> None:
        cluster = AmlCompute(name="growing", min_instances=0, max_instances=nodes)
        site.client.compute.begin_create_or_update(cluster).result()

    scale(1)
    go = site.signal("grown")
    first, second = (site.submit(wait_for(go), compute="growing").name for _ in range(2))
    assert site.status(second) == "Queued"
    scale(2)
    site.in_status(second, "Running")
    go.touch()
    assert (site.ended(first), site.ended(second)) == ("Completed", "Completed")


def test_what_a_job_installs_stays_in_the_job(site: JobSite) -> None:
    code = site.folder / "wheels"
    wheel = WheelHouse(code).add("sealion", "2.0")
    install = f"pip install --quiet --no-index ./{wheel.name} && python -c 'import sealion; print(sealion.__version__)'"
    name, status = site.run(install, code=str(code))
    assert (status, site.log(name).splitlines()[-1]) == ("Completed", "2.0")
    _, status = site.run("python -c 'import sealion'")
    assert status == "Failed"
    assert shutil.which("sealion") is None


MLFLOW = """
import mlflow
with mlflow.start_run() as run:
    print("run", run.info.run_id)
    mlflow.log_metric("auc", 0.85)
    mlflow.log_text("a note", "notes/note.txt")
"""


def test_what_a_job_logs_is_seen_by_mlflow_and_under_its_outputs(site: JobSite, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Model  # noqa: PLC0415
    from mlflow import MlflowClient  # noqa: PLC0415

    code = site.folder / "mlflow"
    code.mkdir()
    (code / "main.py").write_text(MLFLOW)
    name, status = site.run("python main.py", code=str(code), experiment_name="contract", display_name="Logs")
    assert status == "Completed", site.log(name)
    assert f"run {name}" in site.log(name)
    client = MlflowClient(site.client.workspaces.get().mlflow_tracking_uri)
    run = eventually("the run's end", lambda: (r := client.get_run(name)).info.status == "FINISHED" and r)
    assert (run.info.run_name, run.data.metrics["auc"]) == ("Logs", 0.85)
    assert client.get_experiment(run.info.experiment_id).name == "contract"
    assert Path(client.download_artifacts(name, "notes/note.txt", str(tmp_path))).read_text() == "a note"
    path = f"azureml://jobs/{name}/outputs/artifacts/paths/notes"
    site.client.models.create_or_update(Model(name="notes", path=path, type="custom_model"))
    site.client.models.download("notes", "1", download_path=tmp_path)
    assert (tmp_path / "notes" / "notes" / "note.txt").read_text() == "a note"


def test_what_is_read_and_written_directly_is_a_uri(site: JobSite) -> None:
    from azure.ai.ml import Input, Output  # noqa: PLC0415
    from azure.ai.ml.entities import Data  # noqa: PLC0415

    place = "azureml://datastores/workspaceblobstore/paths"
    site.client.data.create_or_update(Data(name="straight", version="1", path=f"{place}/s/", type="uri_folder"))
    name, end = site.run(
        "echo in ${{inputs.asset}} ${{inputs.file}} out ${{outputs.there}}",
        inputs={
            "asset": Input(type="uri_folder", path="azureml:straight:1", mode="direct"),
            "file": Input(type="uri_file", path=f"{place}/x.csv", mode="direct"),
        },
        outputs={"there": Output(type="uri_folder", mode="direct")},
    )
    workspace = site.workspace
    group = f"azureml://subscriptions/{workspace.subscription}/resourcegroups/{workspace.resource_group}"
    root = f"{group}/workspaces/{workspace.name}/datastores/workspaceblobstore/paths"
    assert end == "Completed"
    assert f"in {root}/s/ {root}/x.csv out {root}/azureml/{name}/there" in site.log(name)
