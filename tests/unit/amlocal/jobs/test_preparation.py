import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.jobs.folder import WriteLog
from amlocal.jobs.inputs import JobEnvironments, JobInputs
from amlocal.jobs.preparation import JobPreparation, PreparedJob, job_environ
from amlocal.jobs.process import machine_environ
from amlocal.jobs.status import JobFailure
from amlocal.runtimes import Runtime, current_runtime
from tests.unit.amlocal.jobs.desk import Desk, accepted

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


def prepare(desk: Desk, **changes: Any) -> PreparedJob:
    preparation = JobPreparation(
        desk.context,
        JobInputs(desk.stores.lookup(), desk.blobs),
        CurrentEnvironment(),
        machine={"PATH": "/usr/bin", "HOME": "/home/me", "LANG": "C"},
        client_environ={"ARM_CLOUD_METADATA_URL": "https://127.0.0.1:8443/metadata", "LANG": "client"},
        make_token=lambda job, whole: f"a-token of {job}" + (", whole" if whole else ""),
    )
    job = desk.jobs.create("job", accepted(desk.context, **changes))
    return preparation.prepare(job, desk.job_folder(), threading.Event())


def test_placeholders_stand_for_places_in_the_jobs_folder(desk: Desk) -> None:
    inputs = {
        "data": {"jobInputType": "uri_file", "uri": desk.put_data("x.csv", b"x")},
        "rate": {"jobInputType": "literal", "value": "0.1"},
    }
    outputs = {"model": {}, "report": {"jobOutputType": "uri_file"}}
    command = "run ${{inputs.data}} ${{inputs.rate}} ${{outputs.model}} ${{outputs.report}}"
    words = prepare(desk, command=command, inputs=inputs, outputs=outputs).command.split()
    root = desk.folder.jobs / "job"
    assert words == ["run", f"{root}/inputs/INPUT_data/x.csv", "0.1", f"{root}/outputs/model", f"{root}/outputs/report"]
    assert Path(words[3]).is_dir()
    assert not Path(words[4]).exists()


def test_an_output_that_is_written_directly_is_the_uri_of_its_place(desk: Desk) -> None:
    short = "azureml://datastores/workspaceblobstore/paths"
    long = short.replace("//", "//subscriptions/sub/resourcegroups/group/workspaces/ws/")
    outputs = {
        "y": {"mode": "Direct"},
        "z": {"mode": "Direct", "jobOutputType": "uri_file", "uri": f"{short}/a/z.csv"},
    }
    prepared = prepare(desk, command="run ${{outputs.y}} ${{outputs.z}}", outputs=outputs)
    assert prepared.command.split()[1:] == [f"{long}/azureml/job/y", f"{long}/a/z.csv"]
    assert prepared.environ["AZURE_ML_OUTPUT_z"] == f"{long}/a/z.csv"
    assert not (desk.folder.jobs / "job" / "outputs" / "y").exists()


def test_inputs_and_outputs_are_told_as_variables_too(desk: Desk) -> None:
    inputs = {"rate": {"jobInputType": "literal", "value": "0.1"}}
    environ = prepare(desk, inputs=inputs, outputs={"y": {}}).environ
    assert environ["AZURE_ML_INPUT_rate"] == "0.1"
    assert environ["AZURE_ML_OUTPUT_y"] == f"{desk.folder.jobs}/job/outputs/y"


def test_the_jobs_own_variables_come_before_azures_and_those_before_the_machines(desk: Desk) -> None:
    environ = prepare(desk, environmentVariables={"MLFLOW_RUN_ID": "mine", "EMPTY": ""}).environ
    assert (environ["MLFLOW_RUN_ID"], environ["EMPTY"]) == ("mine", "")
    assert (environ["LANG"], environ["HOME"], environ["AZUREML_RUN_ID"]) == ("client", "/home/me", "job")
    assert environ["PATH"].endswith(":/usr/bin")


@pytest.mark.parametrize("client", ["99999999-8888-7777-6666-555555555555", None])
def test_a_managed_identity_has_the_id_that_programs_ask_for(desk: Desk, client: str | None) -> None:
    environ = prepare(desk, identity={"identityType": "Managed", "clientId": client}).environ
    assert environ["DEFAULT_IDENTITY_CLIENT_ID"] == (client or "55555555-5555-5555-5555-555555555555")


@pytest.mark.parametrize("kind", ["UserIdentity", "Managed", "AMLToken"])
def test_a_job_that_acts_as_its_submitter_is_told_where_to_ask(desk: Desk, kind: str) -> None:
    environ = prepare(desk, identity={"identityType": kind}).environ
    asked = f"{desk.context.origin}/msi/obo?identity={environ['IDENTITY_HEADER']}"
    assert environ.get("OBO_ENDPOINT") == (asked if kind == "UserIdentity" else None)
    assert ("DEFAULT_IDENTITY_CLIENT_ID" in environ) == (kind == "Managed")


def test_a_job_without_a_limit_may_run_for_ever(desk: Desk) -> None:
    assert prepare(desk).timeout_s is None


def test_a_limit_is_told_in_seconds(desk: Desk) -> None:
    assert prepare(desk, limits={"timeout": "PT1M30S"}).timeout_s == 90


def test_the_snapshot_is_the_current_folder(desk: Desk) -> None:
    desk.blobs.put_bytes("azureml", "snap/src/main.py", b"print()")
    desk.stores.codes.put("c", "1", {"codeUri": "azureml://datastores/workspaceartifactstore/paths/snap/src"})
    prepare(desk, codeId=f"{desk.context.arm}/codes/c/versions/1")
    assert (desk.folder.jobs / "job" / "work" / "main.py").read_bytes() == b"print()"


@pytest.mark.parametrize("name", ["outputs", "logs"])
def test_the_folders_of_artifacts_are_there_with_and_without_a_snapshot(desk: Desk, name: str) -> None:
    prepare(desk)
    assert (desk.folder.jobs / "job" / "work" / name).is_dir()


@pytest.mark.parametrize("path", ["outputs/kept", "logs/kept", "outputs", "logs"])
def test_what_the_snapshot_holds_in_their_place_stays(desk: Desk, path: str) -> None:
    desk.blobs.put_bytes("azureml", f"snap/{path}", b"mine")
    desk.stores.codes.put("c", "1", {"codeUri": "azureml://datastores/workspaceartifactstore/paths/snap"})
    prepare(desk, codeId=f"{desk.context.arm}/codes/c/versions/1")
    assert (desk.folder.jobs / "job" / "work" / path).read_bytes() == b"mine"


def test_what_is_missing_stops_it(desk: Desk) -> None:
    gone = {"data": {"jobInputType": "uri_file", "uri": "azureml://datastores/workspaceblobstore/paths/gone"}}
    with pytest.raises(JobFailure, match="The input data is empty"):
        prepare(desk, inputs=gone)


def test_what_the_environment_says_is_in_the_log(desk: Desk) -> None:
    prepare(desk)
    log = (desk.folder.jobs / "job" / "user_logs" / "std_log.txt").read_text()
    assert log == "[amlocal 03:04:05] environment azureml:AzureML-sklearn:1\n"


def test_a_job_sees_what_a_program_needs() -> None:
    assert [*machine_environ(dict.fromkeys(NEEDED, "x"))] == NEEDED


def test_a_job_sees_nothing_else_of_the_machine() -> None:
    assert machine_environ(dict.fromkeys(SECRET, "x")) == {}


@given(st.dictionaries(st.text(max_size=8) | st.sampled_from(NEEDED + SECRET), st.text(max_size=4)))
def test_what_is_kept_is_kept_as_it_is(environ: dict[str, str]) -> None:
    assert machine_environ(environ).items() <= environ.items()


def test_a_job_is_told_about_itself_and_its_run(desk: Desk) -> None:
    told = job_environ(desk.context, "bright_cow", "diabetes", "a-token")
    assert told["AZUREML_RUN_ID"] == told["MLFLOW_RUN_ID"] == "bright_cow"
    assert told["MLFLOW_EXPERIMENT_NAME"] == "diabetes"
    assert told["MLFLOW_TRACKING_TOKEN"] == "a-token"
    assert told["MLFLOW_TRACKING_URI"] == "https://127.0.0.1:8443/mlflow"
    assert told["AZUREML_ARM_WORKSPACE_NAME"] == "ws"
