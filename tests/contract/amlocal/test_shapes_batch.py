"""Batch endpoints, deployments and calls answer in the shapes that Azure ML was recorded to answer in."""

from typing import Any

import pytest

from amlocal.jobs.runner import JobRunner
from tests.contract.amlocal.recorded import batch
from tests.contract.amlocal.recorded.vocabulary import places
from tests.unit.amlocal.asgi import ORIGIN, Answer, Workspace

ENDPOINT, DEPLOYMENT = "batchEndpoints/scores", "batchEndpoints/scores/deployments/first"
FOLDER = {"jobInputType": "UriFolder", "uri": "azureml://datastores/workspaceblobstore/paths/in/"}
PATHS = "azureml://datastores/workspaceblobstore/paths"

# Where a job differs on purpose, and why.
JOB = {
    ".properties.properties.azureml.batchscoringstep": "names the one job in the pipeline, for run history",
    ".properties.services.Tracking.endpoint": "https: an azureml:// URI needs the azureml-mlflow plug-in",
    ".properties.parentJobName": "of api-version 2025-01-01-preview, which is later than the recordings",
}


CALL = {
    ".properties.properties.azureml.batchscoringstep": JOB[".properties.properties.azureml.batchscoringstep"],
    ".properties.status": "it may wait in the queue; recorded calls were already prepared",
}


@pytest.fixture(autouse=True)
def no_job_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stay(*_: object) -> None:
        """Leave a job as it was submitted."""

    monkeypatch.setattr(JobRunner, "run", stay)


def put_endpoint(workspace: Workspace, **properties: Any) -> Answer:
    given = {"authMode": "aadToken", "description": "d", "properties": {"own": "p"}, **properties}
    return workspace.put(ENDPOINT, given, tags={"t": "v"}, location="local")


def put_deployment(workspace: Workspace, **properties: Any) -> Answer:
    """PUT the deployment of a scoring script, with the least that Azure takes."""
    given = {
        "codeConfiguration": {"codeId": workspace.arm_of("codes/c/versions/1"), "scoringScript": "score.py"},
        "environmentId": "azureml:AzureML-sklearn:1",
        "environmentVariables": {},
        "properties": {},
        "compute": workspace.arm_of("computes/cpu-cluster"),
        "model": {"referenceType": "Id", "assetId": workspace.arm_of("models/m/versions/1")},
        "resources": {"instanceCount": 1, "properties": {}},
        **properties,
    }
    return workspace.put(DEPLOYMENT, given, tags={}, location="local")


@pytest.fixture
def deployed(workspace: Workspace) -> Workspace:
    """The workspace with an endpoint and its default deployment."""
    workspace.put("codes/c/versions/1", {"codeUri": f"{ORIGIN}/devstore/c/src"})
    workspace.put("models/m/versions/1", {"modelType": "custom_model", "modelUri": f"{PATHS}/m"})
    put_endpoint(workspace)
    put_deployment(workspace)
    put_endpoint(workspace, defaults={"deploymentName": "first"})
    return workspace


def check_operation(workspace: Workspace, answer: Answer, prefix: str) -> None:
    """An answer leads to its operation, which has ended well."""
    assert answer.headers["x-ms-async-operation-timeout"] == "PT30M"
    operation = workspace.ask("GET", answer.headers["azure-asyncoperation"]).json
    assert (operation["name"].partition(":")[0], operation["status"]) == (prefix, "Succeeded")


def test_an_endpoint_from_creation_to_the_end(workspace: Workspace) -> None:
    created = put_endpoint(workspace)
    assert (created.status, created.headers["location"]) == (201, f"{ORIGIN}{workspace.arm_of(ENDPOINT)}")
    assert places(batch.NEW_ENDPOINT, created.json) == set()
    check_operation(workspace, created, "be")
    assert places(batch.ENDPOINT, workspace.get(ENDPOINT).json) == set()
    assert places({"value": (batch.ENDPOINT,)}, workspace.get("batchEndpoints").json) == set()
    deleted = workspace.ask("DELETE", workspace.arm_of(ENDPOINT))
    assert (deleted.status, deleted.body, "mfeOperationResults" in deleted.headers["location"]) == (202, b"null", True)
    check_operation(workspace, deleted, "be")
    missing = workspace.get(ENDPOINT)
    assert (missing.status, places(batch.NO_ENDPOINT, missing.json)) == (404, set())


def test_what_an_endpoint_s_answer_added_is_not_kept_as_its_user_s(workspace: Workspace) -> None:
    put_endpoint(workspace)
    shown = workspace.get(ENDPOINT).json["properties"]["properties"]
    put_endpoint(workspace, properties=shown)
    again = workspace.get(ENDPOINT).json
    assert places(batch.ENDPOINT, again) == set()
    assert again["properties"]["properties"]["AzureAsyncOperationUri"] != shown["AzureAsyncOperationUri"]


def test_a_deployment_with_the_least_fields(deployed: Workspace) -> None:
    created = put_deployment(deployed)
    assert (created.status, created.headers["location"]) == (201, f"{ORIGIN}{deployed.arm_of(DEPLOYMENT)}")
    assert places(batch.LEAST_DEPLOYMENT, created.json) == set()
    check_operation(deployed, created, "bd")


def test_a_deployment_with_all_fields(deployed: Workspace) -> None:
    created = put_deployment(
        deployed,
        errorThreshold=3,
        loggingLevel="info",
        maxConcurrencyPerInstance=2,
        miniBatchSize=4,
        outputAction="AppendRow",
        outputFileName="o.csv",
        retrySettings={"maxRetries": 5, "timeout": "PT5M"},
    )
    assert places(batch.NEW_DEPLOYMENT, created.json) == set()
    assert places(batch.DEPLOYMENT, deployed.get(DEPLOYMENT).json) == set()
    assert places({"value": (batch.DEPLOYMENT,)}, deployed.get(f"{ENDPOINT}/deployments").json) == set()


def test_a_deployment_that_was_deleted(deployed: Workspace) -> None:
    put_endpoint(deployed)
    deleted = deployed.ask("DELETE", deployed.arm_of(DEPLOYMENT))
    assert (deleted.status, deleted.body) == (202, b"null")
    check_operation(deployed, deleted, "bd")
    assert deployed.get(DEPLOYMENT).status == 404
    assert deployed.ask("DELETE", deployed.arm_of(DEPLOYMENT)).status == 204


def invoke(workspace: Workspace, **properties: Any) -> Answer:
    uri = workspace.get(ENDPOINT).json["properties"]["scoringUri"]
    return workspace.ask("POST", uri, {"properties": {"inputData": {"UriFolder": FOLDER}, **properties}})


def test_a_call_and_its_job(deployed: Workspace) -> None:
    called = invoke(deployed)
    assert (called.status, called.headers["azureml-model-deployment"]) == (201, "first")
    assert called.headers["location"].startswith(f"{ORIGIN}{called.json['id']}?api-version=")
    assert "x-request-id" in called.headers
    assert places(batch.CALL, called.json) == CALL.keys()
    assert places(batch.JOB, deployed.get(f"jobs/{called.json['name']}").json) == JOB.keys()


def test_the_calls_of_an_endpoint_and_of_a_deployment(deployed: Workspace) -> None:
    names = [invoke(deployed).json["name"] for _ in range(2)]
    for place in (ENDPOINT, DEPLOYMENT):
        listed = deployed.ask("GET", f"{ORIGIN}/mferp/managementfrontend{deployed.arm_of(place)}/jobs").json
        assert [row["name"] for row in listed["value"]] == names[::-1]
        assert all(places(batch.CALL, row) == CALL.keys() for row in listed["value"])
        assert listed.keys() == {"value"}
