import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.jobs.folder import WriteLog
from amlocal.jobs.preparation import JobEnvironments, JobInputs, JobPreparation, PreparedJob, job_environ
from amlocal.jobs.process import machine_environ
from amlocal.jobs.status import JobFailure
from amlocal.runtimes import Runtime, current_runtime
from tests.unit.amlocal.jobs.workspace import JobWorkspace, accepted

NEEDED = [
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "HTTPS_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "PIP_INDEX_URL",
    "UV_INDEX",
]
SECRET = [
    "IDENTITY_HEADER", "AWS_SECRET_ACCESS_KEY", "AZURE_CLIENT_SECRET", "GITHUB_TOKEN", "PYTHONPATH", "VIRTUAL_ENV",
    "AMLOCAL_ROOT", "MLFLOW_TRACKING_PASSWORD", "PATHS", "MY_HOME", "AMLOCAL_TRACKING_SECRET", "LD_PRELOAD",
]  # fmt: skip


class CurrentEnvironment(JobEnvironments):
    """Stands in for environments: the interpreter that runs the test."""

    def __init__(self) -> None:
        """Need nothing."""

    def prepare(self, reference: str, folder: Path, write_log: WriteLog, stop: threading.Event) -> Runtime:
        write_log(f"environment {reference}")
        return current_runtime()


def prepare(workspace: JobWorkspace, **changes: Any) -> PreparedJob:
    preparation = JobPreparation(
        workspace.context,
        JobInputs(workspace.stores.lookup(), workspace.blobs),
        CurrentEnvironment(),
        machine={"PATH": "/usr/bin", "HOME": "/home/me", "LANG": "C"},
        client_environ={"ARM_CLOUD_METADATA_URL": "https://127.0.0.1:8443/metadata", "LANG": "client"},
        make_token=lambda job, whole: f"a-token of {job}" + (", whole" if whole else ""),
    )
    job = workspace.jobs.create("job", accepted(workspace.context, **changes))
    return preparation.prepare(job, workspace.job_folder(), threading.Event())


def test_placeholders_stand_for_places_in_the_jobs_folder(workspace: JobWorkspace) -> None:
    inputs = {
        "data": {"jobInputType": "uri_file", "uri": workspace.put_data("x.csv", b"x")},
        "rate": {"jobInputType": "literal", "value": "0.1"},
    }
    outputs = {"model": {}, "report": {"jobOutputType": "uri_file"}}
    command = "run ${{inputs.data}} ${{inputs.rate}} ${{outputs.model}} ${{outputs.report}}"
    words = prepare(workspace, command=command, inputs=inputs, outputs=outputs).command.split()
    root = workspace.folder.jobs / "job"
    assert words == ["run", f"{root}/inputs/INPUT_data/x.csv", "0.1", f"{root}/outputs/model", f"{root}/outputs/report"]
    assert Path(words[3]).is_dir()
    assert not Path(words[4]).exists()


def test_an_output_that_is_written_directly_is_the_uri_of_its_place(workspace: JobWorkspace) -> None:
    short = "azureml://datastores/workspaceblobstore/paths"
    long = short.replace("//", "//subscriptions/sub/resourcegroups/group/workspaces/ws/")
    outputs = {
        "y": {"mode": "Direct"},
        "z": {"mode": "Direct", "jobOutputType": "uri_file", "uri": f"{short}/a/z.csv"},
    }
    prepared = prepare(workspace, command="run ${{outputs.y}} ${{outputs.z}}", outputs=outputs)
    assert prepared.command.split()[1:] == [f"{long}/azureml/job/y", f"{long}/a/z.csv"]
    assert prepared.environ["AZURE_ML_OUTPUT_z"] == f"{long}/a/z.csv"
    assert not (workspace.folder.jobs / "job" / "outputs" / "y").exists()


def test_inputs_and_outputs_are_variables_too(workspace: JobWorkspace) -> None:
    inputs = {"rate": {"jobInputType": "literal", "value": "0.1"}}
    environ = prepare(workspace, inputs=inputs, outputs={"y": {}}).environ
    assert environ["AZURE_ML_INPUT_rate"] == "0.1"
    assert environ["AZURE_ML_OUTPUT_y"] == f"{workspace.folder.jobs}/job/outputs/y"


def test_the_jobs_own_variables_come_before_azures_and_those_before_the_machines(workspace: JobWorkspace) -> None:
    environ = prepare(workspace, environmentVariables={"MLFLOW_RUN_ID": "mine", "EMPTY": ""}).environ
    assert (environ["MLFLOW_RUN_ID"], environ["EMPTY"]) == ("mine", "")
    assert (environ["LANG"], environ["HOME"], environ["AZUREML_RUN_ID"]) == ("client", "/home/me", "job")
    assert environ["PATH"].endswith(":/usr/bin")


@pytest.mark.parametrize("client", ["99999999-8888-7777-6666-555555555555", None])
def test_a_managed_identity_has_the_id_that_programs_ask_for(workspace: JobWorkspace, client: str | None) -> None:
    environ = prepare(workspace, identity={"identityType": "Managed", "clientId": client}).environ
    assert environ["DEFAULT_IDENTITY_CLIENT_ID"] == (client or "55555555-5555-5555-5555-555555555555")


@pytest.mark.parametrize("kind", ["UserIdentity", "Managed", "AMLToken"])
def test_a_job_with_the_submitters_identity_gets_the_token_endpoint(workspace: JobWorkspace, kind: str) -> None:
    environ = prepare(workspace, identity={"identityType": kind}).environ
    asked = f"{workspace.context.origin}/msi/obo?identity={environ['IDENTITY_HEADER']}"
    assert environ.get("OBO_ENDPOINT") == (asked if kind == "UserIdentity" else None)
    assert ("DEFAULT_IDENTITY_CLIENT_ID" in environ) == (kind == "Managed")


def test_a_job_without_a_limit_may_run_for_ever(workspace: JobWorkspace) -> None:
    assert prepare(workspace).timeout_s is None


def test_a_time_limit_is_in_seconds(workspace: JobWorkspace) -> None:
    assert prepare(workspace, limits={"timeout": "PT1M30S"}).timeout_s == 90


def test_the_snapshot_is_the_current_folder(workspace: JobWorkspace) -> None:
    workspace.blobs.put_bytes("azureml", "snap/src/main.py", b"print()")
    workspace.stores.codes.put("c", "1", {"codeUri": "azureml://datastores/workspaceartifactstore/paths/snap/src"})
    prepare(workspace, codeId=f"{workspace.context.arm}/codes/c/versions/1")
    assert (workspace.folder.jobs / "job" / "work" / "main.py").read_bytes() == b"print()"


@pytest.mark.parametrize("name", ["outputs", "logs"])
def test_the_folders_of_artifacts_are_there_with_and_without_a_snapshot(workspace: JobWorkspace, name: str) -> None:
    prepare(workspace)
    assert (workspace.folder.jobs / "job" / "work" / name).is_dir()


@pytest.mark.parametrize("path", ["outputs/kept", "logs/kept", "outputs", "logs"])
def test_what_the_snapshot_holds_in_their_place_stays(workspace: JobWorkspace, path: str) -> None:
    workspace.blobs.put_bytes("azureml", f"snap/{path}", b"mine")
    workspace.stores.codes.put("c", "1", {"codeUri": "azureml://datastores/workspaceartifactstore/paths/snap"})
    prepare(workspace, codeId=f"{workspace.context.arm}/codes/c/versions/1")
    assert (workspace.folder.jobs / "job" / "work" / path).read_bytes() == b"mine"


def test_what_is_missing_stops_it(workspace: JobWorkspace) -> None:
    gone = {"data": {"jobInputType": "uri_file", "uri": "azureml://datastores/workspaceblobstore/paths/gone"}}
    with pytest.raises(JobFailure, match="The input data is empty"):
        prepare(workspace, inputs=gone)


def test_what_the_environment_says_is_in_the_log(workspace: JobWorkspace) -> None:
    prepare(workspace)
    log = (workspace.folder.jobs / "job" / "user_logs" / "std_log.txt").read_text()
    assert log == "[amlocal 03:04:05] environment azureml:AzureML-sklearn:1\n"


def test_a_job_sees_what_a_program_needs() -> None:
    assert [*machine_environ(dict.fromkeys(NEEDED, "x"))] == NEEDED


def test_a_job_sees_nothing_else_of_the_machine() -> None:
    assert machine_environ(dict.fromkeys(SECRET, "x")) == {}


@given(st.dictionaries(st.text(max_size=8) | st.sampled_from(NEEDED + SECRET), st.text(max_size=4)))
def test_what_is_kept_is_kept_as_it_is(environ: dict[str, str]) -> None:
    assert machine_environ(environ).items() <= environ.items()


def test_a_job_gets_the_variables_of_itself_and_its_run(workspace: JobWorkspace) -> None:
    environ = job_environ(workspace.context, "bright_cow", "diabetes", "a-token")
    assert environ["AZUREML_RUN_ID"] == environ["MLFLOW_RUN_ID"] == "bright_cow"
    assert environ["MLFLOW_EXPERIMENT_NAME"] == "diabetes"
    assert environ["MLFLOW_TRACKING_TOKEN"] == "a-token"
    assert environ["MLFLOW_TRACKING_URI"] == "https://127.0.0.1:8443/mlflow"
    assert environ["AZUREML_ARM_WORKSPACE_NAME"] == "ws"
