"""An id of another workspace is refused by name, wherever a body may hold one."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amlocal.core.context import Identity
from amlocal.jobs.runner import JobQueue
from tests.unit.amlocal.asgi import ORIGIN, Answer, Workspace

CURATED = "azureml:AzureML-sklearn:1"
BLOB = "azureml://datastores/workspaceblobstore/paths/x"
CODE = {"codeId": "azureml:c:1", "scoringScript": "score.py"}
MODEL = {"referenceType": "Id", "assetId": "azureml:m:1"}
COMMAND = {"jobType": "Command", "command": "true", "environmentId": CURATED}
ONLINE = {"endpointComputeType": "Managed", "instanceType": "Standard_E2s_v3", "model": "azureml:m:1"}
BATCH = {"model": MODEL, "compute": "azureml:cpu-cluster", "codeConfiguration": CODE, "environmentId": CURATED}
INPUT = {"jobInputType": "uri_file", "uri": BLOB}

Place = Callable[[str], tuple[str, str, dict[str, Any]]]  # an id -> method, path, body


def put(path: str, **properties: Any) -> tuple[str, str, dict[str, Any]]:
    return "PUT", path, {"properties": properties}


def invoke(**properties: Any) -> tuple[str, str, dict[str, Any]]:
    return "POST", f"{ORIGIN}/batch/scores/jobs", {"properties": {"inputData": {"i": INPUT}} | properties}


PLACES: dict[str, Place] = {
    "data": lambda uri: put("data/d/versions/9", dataUri=uri, dataType="uri_file"),
    "folder of data": lambda uri: put("data/d/versions/9", dataUri=uri, dataType="uri_folder"),
    "table of data": lambda uri: put("data/d/versions/9", dataUri=BLOB, dataType="mltable", referencedUris=[BLOB, uri]),
    "model": lambda uri: put("models/m/versions/9", modelUri=uri, modelType="custom_model"),
    "code": lambda uri: put("codes/c/versions/9", codeUri=uri),
    "build context": lambda uri: put("environments/e/versions/9", build={"contextUri": uri}),
    "input of a job": lambda uri: put("jobs/j", **COMMAND, inputs={"i": INPUT | {"uri": uri}}),
    "model for a job": lambda uri: put("jobs/j", **COMMAND, inputs={"i": {"jobInputType": "mlflow_model", "uri": uri}}),
    "direct input of a job": lambda uri: put("jobs/j", **COMMAND, inputs={"i": INPUT | {"uri": uri, "mode": "Direct"}}),
    "output of a job": lambda uri: put("jobs/j", **COMMAND, outputs={"o": {"jobOutputType": "uri_folder", "uri": uri}}),
    "code of a job": lambda uri: put("jobs/j", **COMMAND, codeId=uri),
    "environment of a job": lambda uri: put("jobs/j", **COMMAND | {"environmentId": uri}),
    "compute of a job": lambda uri: put("jobs/j", **COMMAND, computeId=uri),
    "component of a job": lambda uri: put("jobs/j", **COMMAND, componentId=uri),
    "online model": lambda uri: put("onlineEndpoints/serves/deployments/blue", **ONLINE | {"model": uri}),
    "online code": lambda uri: put(
        "onlineEndpoints/serves/deployments/blue",
        **ONLINE,
        codeConfiguration=CODE | {"codeId": uri},
        environmentId=CURATED,
    ),
    "online environment": lambda uri: put("onlineEndpoints/serves/deployments/blue", **ONLINE, environmentId=uri),
    "batch model": lambda uri: put(
        "batchEndpoints/scores/deployments/x1z", **BATCH | {"model": MODEL | {"assetId": uri}}
    ),
    "batch code": lambda uri: put(
        "batchEndpoints/scores/deployments/x1z", **BATCH | {"codeConfiguration": CODE | {"codeId": uri}}
    ),
    "batch environment": lambda uri: put("batchEndpoints/scores/deployments/x1z", **BATCH | {"environmentId": uri}),
    "batch compute": lambda uri: put("batchEndpoints/scores/deployments/x1z", **BATCH | {"compute": uri}),
    "input of a call": lambda uri: invoke(inputData={"i": INPUT | {"uri": uri}}),
    "output of a call": lambda uri: invoke(outputData={"o": {"jobOutputType": "uri_file", "uri": uri}}),
    "older output of a call": lambda uri: invoke(outputDataset={"datastoreId": uri, "path": "p"}),
}
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{1,9}", fullmatch=True)
FORMS = st.sampled_from([
    "azureml://subscriptions/{s}/resourcegroups/{g}/workspaces/{w}/{tail}",
    "azureml://subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.MachineLearningServices/workspaces/{w}/{tail}",
    "azureml:/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.MachineLearningServices/workspaces/{w}/{tail}",
    "/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.MachineLearningServices/workspaces/{w}/{tail}",
    "/SUBSCRIPTIONS/{s}/RESOURCEGROUPS/{g}/providers/microsoft.machinelearningservices/WORKSPACES/{w}/{tail}",
    "azureml://locations/westeurope/workspaces/{w}/{tail}",
    "azureml://workspaces/{w}/{tail}",
])  # fmt: skip
TAILS = st.sampled_from([
    "datastores/workspaceblobstore/paths/x", "data/d/versions/1", "models/m/versions/1", "codes/c/versions/1",
    "environments/AzureML-sklearn/versions/1", "computes/cpu-cluster", "jobs/j/outputs/artifacts/paths/x",
    "components/c/versions/1", "datastores/workspaceblobstore",
])  # fmt: skip


@pytest.fixture(scope="module")
def furnished(shared_workspace: Workspace) -> Workspace:
    """The workspace with all that the ids name, so that only whose they are can be wrong."""
    workspace = shared_workspace
    made = [
        workspace.put("codes/c/versions/1", {"codeUri": f"{ORIGIN}/devstore/c/src"}),
        workspace.put("models/m/versions/1", {"modelType": "custom_model", "modelUri": BLOB}),
        workspace.put("data/d/versions/1", {"dataType": "uri_file", "dataUri": BLOB}),
        workspace.put("onlineEndpoints/serves", {"authMode": "Key"}),
        workspace.put("batchEndpoints/scores", {}),
        workspace.put("batchEndpoints/scores/deployments/first", BATCH),
        workspace.put("batchEndpoints/scores", {"defaults": {"deploymentName": "first"}}),
    ]
    assert {answer.status for answer in made} == {201}
    return workspace


def ask(workspace: Workspace, place: str, uri: str) -> Answer:
    method, path, body = PLACES[place](uri)
    return workspace.ask(method, path if path.startswith("https") else workspace.arm_of(path), body)


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=8, deadline=None)
@given(names=st.tuples(NAMES, NAMES, NAMES), form=FORMS, tail=TAILS)
def test_an_id_of_another_workspace_is_refused_by_name(
    furnished: Workspace, place: str, names: tuple[str, str, str], form: str, tail: str
) -> None:
    answer = ask(furnished, place, form.format(s=names[0], g=names[1], w=names[2], tail=tail))
    assert answer.status == 400
    assert answer.error["code"] == "UserError"
    assert f"belongs to another workspace: '{names[2]}'" in answer.error["message"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("differs", range(3))
def test_one_name_that_differs_is_enough(furnished: Workspace, place: str, differs: int) -> None:
    here: Identity = furnished.identity
    names = [here.subscription, here.resource_group, here.name]
    names[differs] = "another"
    uri = f"azureml://subscriptions/{names[0]}/resourcegroups/{names[1]}/workspaces/{names[2]}/"
    message = ask(furnished, place, f"{uri}datastores/workspaceblobstore/paths/x").error["message"]
    assert "belongs to another workspace" in message


@pytest.mark.parametrize("place", [place for place in PLACES if place != "environment of a job"])
def test_what_is_in_a_registry_is_refused_by_its_name(furnished: Workspace, place: str) -> None:
    answer = ask(furnished, place, "azureml://registries/mine/models/m/versions/1")
    if "environment" not in place:
        assert (answer.status, "of registry 'mine'" in answer.error["message"]) == (501, True), answer.body


@pytest.mark.parametrize(
    "place", ["data", "model", "input of a job", "direct input of a job", "output of a job", "input of a call"]
)
@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_the_workspaces_own_ids_are_taken_in_any_case(
    furnished: Workspace, monkeypatch: pytest.MonkeyPatch, place: str, case: Callable[[str], str]
) -> None:
    monkeypatch.setattr(JobQueue, "submit", lambda *_: None)
    here = furnished.identity
    uri = (
        f"azureml://subscriptions/{case(here.subscription)}/resourcegroups/{case(here.resource_group)}"
        f"/workspaces/{case(here.name)}/datastores/workspaceblobstore/paths/x"
    )
    method, path, body = PLACES[place](uri)
    name = furnished.fresh()
    fresh = path.replace("/9", f"/{name}").replace("jobs/j", f"jobs/{name}")
    answer = furnished.ask(method, path if path.startswith("https") else furnished.arm_of(fresh), body)
    assert answer.status in {200, 201}, answer.body
