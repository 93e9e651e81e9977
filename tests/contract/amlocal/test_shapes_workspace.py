"""The workspace, its datastores, computes and operations answer in the shapes that Azure was recorded to answer in."""

from typing import Any

import pytest

from tests.contract.amlocal.recorded import workspace_resources
from tests.contract.amlocal.recorded.vocabulary import Shape, places
from tests.unit.amlocal.asgi import Client, Workspace

# Where the workspace differs on purpose, and why.
WORKSPACE = {
    ".properties.containerRegistry": "nothing here builds or pulls images",
    ".properties.notebookInfo": "there is no notebook server",
    ".properties.sdkTelemetryAppInsightsKey": "nothing is reported to anyone",
    ".properties.publicNetworkAccess": "Disabled: it listens on loopback alone",
    ".properties.mlFlowTrackingUri": "https: an azureml:// URI needs the azureml-mlflow plug-in to be installed",
}
NO_WORKSPACE = {".error.message": "it also says which workspace is here"}
UPDATED_COMPUTE = {".properties.resourceId": "no resource of another provider stands behind a local cluster"}
COMPUTE = {".properties.description": "none was given; the recorded clusters had one"}

CLUSTER = {
    "computeType": "AmlCompute", "description": "d",
    "properties": {
        "osType": "Linux", "vmSize": "Standard_DS2_v2", "vmPriority": "Dedicated",
        "scaleSettings": {"maxNodeCount": 2, "minNodeCount": 0, "nodeIdleTimeBeforeScaleDown": "PT2M"},
        "remoteLoginPortPublicAccess": "Enabled", "enableNodePublicIp": True, "enableBatchPrivateLink": False,
    },
}  # fmt: skip
BLOB: dict[str, Any] = {
    "datastoreType": "AzureBlob", "accountName": "devstore", "containerName": "mine", "endpoint": "core.local",
    "protocol": "https", "credentials": {"credentialsType": "AccountKey", "secrets": {"key": "aGlkZGVu"}},
}  # fmt: skip


def test_the_workspace(workspace: Workspace) -> None:
    assert places(workspace_resources.WORKSPACE, workspace.ask("GET", workspace.arm).json) == WORKSPACE.keys()


def test_a_workspace_that_does_not_exist(workspace: Workspace) -> None:
    answer = workspace.ask("GET", workspace.arm.replace("/local", "/elsewhere"))
    assert (answer.status, answer.headers["x-ms-failure-cause"]) == (404, "gateway")
    assert places(workspace_resources.NO_WORKSPACE, answer.json) == NO_WORKSPACE.keys()


def test_discovery(workspace: Workspace) -> None:
    url = workspace.ask("GET", workspace.arm).json["properties"]["discoveryUrl"]
    assert places(workspace_resources.DISCOVERY, Client(workspace.app)("GET", url).json) == set()


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("workspaceblobstore", workspace_resources.DEFAULT_DATASTORE),
        ("workspaceartifactstore", workspace_resources.BUILT_IN_DATASTORE),
    ],
)
def test_a_built_in_datastore(workspace: Workspace, name: str, shape: Shape) -> None:
    assert places(shape, workspace.get(f"datastores/{name}").json) == set()


def test_the_list_of_default_datastores(workspace: Workspace) -> None:
    body = workspace.get("datastores", count="30", isDefault="true", orderByAsc="false").json
    assert places({"value": (workspace_resources.DEFAULT_DATASTORE,)}, body) == set()


def test_the_list_of_datastores(workspace: Workspace) -> None:
    # Without workspacefilestore and workspaceworkingdirectory: there are no file shares.
    names = [row["name"] for row in workspace.get("datastores", count="30", orderByAsc="false").json["value"]]
    assert sorted(names) == ["workspaceartifactstore", "workspaceblobstore"]


def test_a_datastore_with_an_account_key(workspace: Workspace) -> None:
    created = workspace.put("datastores/mine", BLOB)
    assert (created.status, "location" in created.headers) == (201, True)
    assert places(workspace_resources.DATASTORE, created.json) == set()
    assert b"aGlkZGVu" not in created.body
    secrets = workspace.ask("POST", workspace.arm_of("datastores/mine/listSecrets"))
    assert (secrets.status, places(workspace_resources.DATASTORE_SECRETS, secrets.json)) == (200, set())


def test_a_datastore_that_was_deleted(workspace: Workspace) -> None:
    workspace.put("datastores/mine", BLOB)
    deleted = workspace.ask("DELETE", workspace.arm_of("datastores/mine"))
    assert (deleted.status, deleted.body, deleted.headers["content-length"]) == (200, b"", "0")
    missing = workspace.get("datastores/mine")
    assert (missing.status, places(workspace_resources.NO_DATASTORE, missing.json)) == (404, set())


def test_a_compute_from_creation_to_the_end(workspace: Workspace) -> None:
    created = workspace.put("computes/nodes", CLUSTER, location="local")
    assert (created.status, "location" in created.headers) == (201, False)
    assert places(workspace_resources.NEW_COMPUTE, created.json) == set()
    done = workspace.ask("GET", created.headers["azure-asyncoperation"])
    assert (done.status, places(workspace_resources.COMPUTE_OPERATION_DONE, done.json)) == (200, set())
    assert places(workspace_resources.COMPUTE, workspace.get("computes/nodes").json) == set()


def test_a_compute_that_was_updated(workspace: Workspace) -> None:
    workspace.put("computes/nodes", CLUSTER, location="local")
    updated = workspace.put("computes/nodes", CLUSTER, location="local")
    assert updated.status == 201
    assert places(workspace_resources.UPDATED_COMPUTE, updated.json) == UPDATED_COMPUTE.keys()


def test_a_compute_that_was_deleted(workspace: Workspace) -> None:
    deleted = workspace.ask(
        "DELETE", workspace.arm_of("computes/cpu-cluster"), query={"underlyingResourceAction": "Delete"}
    )
    assert (deleted.status, deleted.body) == (202, b"")
    done = workspace.ask("GET", deleted.headers["azure-asyncoperation"])
    assert places(workspace_resources.COMPUTE_OPERATION_DONE, done.json) == set()


def test_a_compute_that_does_not_exist(workspace: Workspace) -> None:
    missing = workspace.get("computes/missing")
    assert (missing.status, missing.body, missing.headers["content-length"]) == (404, b"", "0")
    assert missing.headers["x-ms-response-type"] == "standard"


def test_the_compute_of_a_new_workspace(workspace: Workspace) -> None:
    assert places(workspace_resources.COMPUTE, workspace.get("computes/cpu-cluster").json) == COMPUTE.keys()


def test_every_answer_of_the_resource_manager_carries_its_headers(workspace: Workspace) -> None:
    headers = workspace.get("computes").headers
    wanted = {"cache-control": "no-cache", "pragma": "no-cache", "expires": "-1", "x-ms-response-type": "standard"}
    assert headers.items() >= wanted.items()
    assert {"x-ms-correlation-request-id", "x-request-time"} <= set(headers)
    assert workspace.get("datastores/missing").headers["x-ms-response-type"] == "error"
