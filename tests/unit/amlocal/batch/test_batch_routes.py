"""The ARM routes and the data plane of batch endpoints, over HTTP in process."""

from typing import Any

import pytest

from amlocal.jobs.runner import JobRunner
from amlocal.jobs.status import Status
from amlocal.jobs.store import JobStore
from tests.unit.amlocal.asgi import ORIGIN, Answer, Workspace

ENDPOINT = "batchEndpoints/scores"
FOLDER = {"jobInputType": "UriFolder", "uri": "azureml://datastores/workspaceblobstore/paths/in/"}


@pytest.fixture(autouse=True)
def no_job_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stay(*_: object) -> None:
        """Leave a job as it was submitted."""

    monkeypatch.setattr(JobRunner, "run", stay)


def deploy(workspace: Workspace, name: str = "first", **properties: Any) -> Answer:
    workspace.put("codes/c/versions/1", {"codeUri": f"{ORIGIN}/devstore/c/src"})
    model = {"modelType": "custom_model", "modelUri": "azureml://datastores/workspaceblobstore/paths/m"}
    workspace.put("models/m/versions/1", model)
    given = {
        "codeConfiguration": {"codeId": "azureml:c:1", "scoringScript": "score.py"},
        "environmentId": "azureml:AzureML-sklearn:1",
        "compute": "azureml:cpu-cluster",
        "model": {"referenceType": "Id", "assetId": "azureml:m:1"},
    }
    return workspace.put(f"{ENDPOINT}/deployments/{name}", given | properties)


def invoke(workspace: Workspace, **headers: str) -> Answer:
    body = {"properties": {"inputData": {"UriFolder": FOLDER}}}
    return workspace.ask("POST", f"{ORIGIN}/batch/scores/jobs", body, headers=headers)


def test_a_new_endpoint_is_being_created_and_has_no_address_yet(workspace: Workspace) -> None:
    created = workspace.put(ENDPOINT, {}).json["properties"]
    assert (created["provisioningState"], created["scoringUri"]) == ("Creating", None)
    ready = workspace.get(ENDPOINT).json["properties"]
    assert (ready["provisioningState"], ready["scoringUri"]) == ("Succeeded", f"{ORIGIN}/batch/scores/jobs")


def test_an_endpoint_that_is_there_is_updated_and_keeps_its_date(workspace: Workspace) -> None:
    workspace.put(ENDPOINT, {})
    before = workspace.get(ENDPOINT).json["systemData"]
    workspace.clock.advance(seconds=5)
    updated = workspace.put(ENDPOINT, {"description": "new"})
    assert (updated.status, updated.json["properties"]["provisioningState"]) == (201, "Updating")
    after = workspace.get(ENDPOINT).json["systemData"]
    assert after["createdAt"] == before["createdAt"]
    assert after["lastModifiedAt"] > before["lastModifiedAt"]


def test_a_refused_endpoint_leaves_nothing_behind(workspace: Workspace) -> None:
    documents = workspace.app._context.documents
    assert workspace.put(ENDPOINT, {"defaults": {"deploymentName": "nowhere"}}).status == 400
    assert (documents.select("operation").all(), documents.select("batchEndpoint").all()) == ([], [])


def test_what_is_listed_is_what_was_made(workspace: Workspace) -> None:
    workspace.put(ENDPOINT, {})
    for name in ("first", "second"):
        assert deploy(workspace, name).status == 201
    listed = workspace.get(f"{ENDPOINT}/deployments").json["value"]
    assert [row["name"] for row in listed] == ["second", "first"]
    assert [row["name"] for row in workspace.get("batchEndpoints").json["value"]] == ["scores"]
    assert workspace.get(f"{ENDPOINT}/deployments/first").json == listed[1]


def test_deleting_what_is_not_there_is_no_error(workspace: Workspace) -> None:
    assert workspace.ask("DELETE", workspace.arm_of(ENDPOINT)).status == 204
    workspace.put(ENDPOINT, {})
    assert workspace.ask("DELETE", workspace.arm_of(f"{ENDPOINT}/deployments/first")).status == 204


def test_a_deleted_endpoint_is_gone_with_its_deployments(workspace: Workspace) -> None:
    workspace.put(ENDPOINT, {})
    deploy(workspace)
    assert workspace.ask("DELETE", workspace.arm_of(ENDPOINT)).status == 202
    assert workspace.get(ENDPOINT).status == workspace.get(f"{ENDPOINT}/deployments/first").status == 404


def test_a_call_goes_to_the_deployment_that_its_header_names(workspace: Workspace) -> None:
    workspace.put(ENDPOINT, {})
    deploy(workspace)
    deploy(workspace, "second")
    workspace.put(ENDPOINT, {"defaults": {"deploymentName": "first"}})
    assert invoke(workspace).headers["azureml-model-deployment"] == "first"
    named = invoke(workspace, **{"azureml-model-deployment": "second"})
    assert named.headers["azureml-model-deployment"] == "second"


def test_a_call_sent_again_with_its_id_is_one_job(workspace: Workspace) -> None:
    workspace.put(ENDPOINT, {})
    deploy(workspace)
    workspace.put(ENDPOINT, {"defaults": {"deploymentName": "first"}})
    names = {invoke(workspace, **{"repeatability_request-id": "r"}).json["name"] for _ in range(2)}
    listed = workspace.ask("GET", f"{ORIGIN}/mferp/managementfrontend{workspace.arm_of(ENDPOINT)}/jobs")
    assert {row["name"] for row in listed.json["value"]} == names


def test_without_a_token_nobody_calls(workspace: Workspace) -> None:
    workspace.put(ENDPOINT, {})
    assert invoke(workspace, authorization="Bearer none").status == 401


def called(workspace: Workspace) -> tuple[str, str]:
    """Return the pipeline job of a call, and the job in it."""
    workspace.put(ENDPOINT, {})
    deploy(workspace)
    workspace.put(ENDPOINT, {"defaults": {"deploymentName": "first"}})
    job = str(invoke(workspace).json["name"])
    history = f"{ORIGIN}/history/v1.0{workspace.arm}/runs/{job}/children"
    (child,) = workspace.ask("GET", history).json["value"]
    return job, child["runId"]


def test_the_list_of_jobs_shows_a_call_and_not_the_job_in_it(workspace: Workspace) -> None:
    job, child = called(workspace)
    assert [row["name"] for row in workspace.get("jobs").json["value"]] == [job]
    assert workspace.get(f"jobs/{child}").status == 200


def test_a_call_s_job_takes_the_job_in_it_along_when_it_is_deleted(workspace: Workspace) -> None:
    job, child = called(workspace)
    store = JobStore(workspace.app._context)
    for status in (Status.PREPARING, Status.RUNNING, Status.FINALIZING, Status.COMPLETED):
        store.advance(child, status)
        store.advance(job, status)
    assert workspace.ask("DELETE", workspace.arm_of(f"jobs/{job}")).status == 200
    assert {workspace.get(f"jobs/{name}").status for name in (job, child)} == {404}
    assert (
        workspace.ask("GET", f"{ORIGIN}/mferp/managementfrontend{workspace.arm_of(ENDPOINT)}/jobs").json["value"] == []
    )
