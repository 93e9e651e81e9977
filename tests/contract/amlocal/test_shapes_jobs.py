"""Command jobs and their runs answer in the shapes that Azure ML was recorded to answer in.

No job runs here: what a run leaves behind is written into the store.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from amlocal.jobs.runner import JobRunner
from amlocal.jobs.status import Status
from amlocal.jobs.store import JobStore
from tests.contract.amlocal.recorded import jobs
from tests.contract.amlocal.recorded.vocabulary import places
from tests.unit.amlocal.asgi import ORIGIN, Answer, Workspace

INPUT = {"jobInputType": "uri_file", "uri": "azureml://datastores/workspaceblobstore/paths/a.csv"}
CODE = {"codeUri": f"{ORIGIN}/devstore/c/src"}
FOLDER = {"dataType": "uri_folder", "dataUri": "azureml://datastores/workspaceblobstore/paths/a"}

# Where a job differs on purpose, and why.
JOB = {
    ".properties.outputs.default": "with it the SDK signs a SAS of its own for the log, which a SAS datastore breaks",
    ".properties.services.Tracking.endpoint": "https: an azureml:// URI needs the azureml-mlflow plug-in",
    ".properties.parentJobName": "of api-version 2025-01-01-preview, which is later than the recordings",
}


@pytest.fixture(autouse=True)
def no_job_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stay(*_: object) -> None:
        """Leave a job as it was submitted."""

    monkeypatch.setattr(JobRunner, "run", stay)


def submit(workspace: Workspace, **changes: Any) -> Answer:
    """PUT a job."""
    job = {
        "jobType": "Command", "command": "true", "displayName": "d", "experimentName": "e", "isArchived": False,
        "computeId": workspace.arm_of("computes/cpu-cluster"), "environmentId": "azureml:AzureML-sklearn:1",
        "properties": {"own": "p"}, "tags": {}, "environmentVariables": {}, "inputs": {"data": INPUT}, "outputs": {},
    }  # fmt: skip
    return workspace.put("jobs/j", job | changes)


def end(workspace: Workspace) -> None:
    """Let the job be as one that was completed."""
    store = JobStore(workspace.app._context)
    for status in (Status.PREPARING, Status.RUNNING, Status.FINALIZING, Status.COMPLETED):
        assert store.advance("j", status)


@pytest.fixture
def references(workspace: Workspace) -> Mapping[str, str]:
    """The ids of a code snapshot and of a data asset."""
    workspace.put("codes/c/versions/1", CODE)
    workspace.put("data/d/versions/1", FOLDER)
    return {"code": workspace.arm_of("codes/c/versions/1"), "data": workspace.arm_of("data/d/versions/1")}


def test_a_new_job(workspace: Workspace) -> None:
    created = submit(workspace)
    assert (created.status, created.headers["location"]) == (201, f"{ORIGIN}{workspace.arm_of('jobs/j')}")
    assert places(jobs.JOB, created.json) == JOB.keys()
    assert places(jobs.JOB_LATER, workspace.get("jobs/j").json) == JOB.keys()


def test_a_job_with_code_and_a_distribution(workspace: Workspace, references: Mapping[str, str]) -> None:
    created = submit(
        workspace,
        codeId=references["code"],
        description="d",
        identity={"identityType": "AMLToken"},
        distribution={"distributionType": "Mpi", "processCountPerInstance": 1},
        inputs={"data": INPUT, "asset": {"jobInputType": "uri_folder", "uri": references["data"]}},
    )
    assert created.status == 201
    assert places(jobs.JOB_WITH_CODE, created.json) == JOB.keys()
    assert created.json["properties"]["inputs"]["asset"]["uri"] == references["data"]


def test_a_job_with_outputs(workspace: Workspace) -> None:
    registered = {"jobOutputType": "uri_folder", "mode": "Upload", "assetName": "a", "assetVersion": "1"}
    created = submit(workspace, outputs={"plain": {"jobOutputType": "uri_folder"}, "registered": registered})
    assert places(jobs.JOB_WITH_OUTPUTS, created.json) == JOB.keys()


def test_a_job_without_a_compute(workspace: Workspace) -> None:
    created = submit(
        workspace, computeId=None, queueSettings={"jobTier": "Standard"}, identity={"identityType": "AMLToken"}
    )
    assert places(jobs.SERVERLESS_JOB, created.json) == JOB.keys()


def test_a_job_on_a_compute_that_does_not_exist(workspace: Workspace) -> None:
    refused = submit(workspace, computeId=workspace.arm_of("computes/missing"))
    assert (refused.error["code"], refused.error["message"]) == ("UserError", "Unknown compute target 'missing'.")


def test_the_cancelling_of_a_job(workspace: Workspace) -> None:
    submit(workspace)
    canceled = workspace.ask("POST", workspace.arm_of("jobs/j/cancel"))
    assert (canceled.status, canceled.body) == (202, b"null")
    assert canceled.headers["x-ms-async-operation-timeout"] == "PT1H"
    assert "azure-asyncoperation" not in canceled.headers
    result = canceled.headers["location"]
    assert result.partition("?")[0].endswith(f"/mfeOperationResults/jc:{workspace.identity.guid}:j")
    running = workspace.ask("GET", result)
    assert (running.status, running.json, running.headers["location"]) == (202, {}, result)
    JobStore(workspace.app._context).advance("j", Status.CANCELED)
    done = workspace.ask("GET", result)
    assert (done.status, done.body, done.headers["content-length"]) == (200, b"", "0")


def history(workspace: Workspace, method: str, path: str, body: Any = None) -> Answer:
    return workspace.ask(method, f"/history/v1.0{workspace.arm}/{path}", body)


@pytest.mark.parametrize("middle", ["", "experiments/e/"])
def test_a_run(workspace: Workspace, middle: str) -> None:
    submit(workspace)
    end(workspace)
    answer = history(workspace, "GET", f"{middle}runs/j")
    assert (answer.status, places(jobs.RUN, answer.json)) == (200, set())


def test_the_children_of_a_run(workspace: Workspace) -> None:
    submit(workspace)
    answer = history(workspace, "GET", "runs/j/children")
    assert (answer.status, answer.json) == (200, {"value": []})


def test_the_data_of_a_run(workspace: Workspace) -> None:
    submit(workspace, outputs={"plain": {"jobOutputType": "uri_folder"}})
    end(workspace)
    wish = {"runId": "j", "selectRunMetadata": True, "selectRunDefinition": True, "selectJobSpecification": True}
    answer = history(workspace, "POST", "rundata", wish)
    outputs = answer.json["runMetadata"]["outputs"]
    assert set(outputs) == {"default", "plain"}
    # The SDK passes over UriFolder, which Azure said in January 2023; uri_folder it downloads.
    expected = {f".runMetadata.outputs.{name}.type" for name in outputs}
    assert places(jobs.RUN_DATA, answer.json) == expected
    assert {output["type"] for output in outputs.values()} == {"uri_folder"}


def test_where_the_output_of_a_run_is(workspace: Workspace) -> None:
    submit(workspace)
    end(workspace)
    output = history(workspace, "POST", "rundata", {"runId": "j"}).json["runMetadata"]["outputs"]["default"]
    url = f"/data/v1.0{workspace.arm}/dataversion/batchGetResolvedUris"
    answer = workspace.ask("POST", url, {"values": [output["assetId"]]})
    assert answer.status == 200
    assert places(jobs.RESOLVED_URIS, answer.json) == {f".values.{output['assetId']}.type"}
    assert answer.json["values"][output["assetId"]]["uri"] == (
        workspace.identity.datastore_uri("workspaceartifactstore", "ExperimentRun/dcid.j/")
    )
