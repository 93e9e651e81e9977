from pathlib import Path
from typing import Any

import pytest

from tests.unit.amlocal.asgi import Answer, Client, Workspace, open_workspace

BLOB: dict[str, Any] = {
    "datastoreType": "AzureBlob",
    "accountName": "devstore",
    "containerName": "mine",
    "credentials": {"credentialsType": "Sas", "secrets": {"secretsType": "Sas", "sasToken": "sig=hidden"}},
}


def create(workspace: Workspace, name: str = "mine", **changes: Any) -> Answer:
    return workspace.put(f"datastores/{name}", BLOB | changes)


def names(answer: Answer) -> set[str]:
    return {row["name"] for row in answer.json["value"]}


def test_a_new_workspace_has_its_datastores(workspace: Workspace) -> None:
    assert names(workspace.get("datastores")) == {"workspaceblobstore", "workspaceartifactstore"}


def test_exactly_one_is_the_default(workspace: Workspace) -> None:
    assert names(workspace.get("datastores", isDefault="true")) == {"workspaceblobstore"}
    assert names(workspace.get("datastores", isDefault="false")) == {"workspaceartifactstore"}


def test_the_default_container_carries_the_guid_of_the_workspace(workspace: Workspace) -> None:
    properties = workspace.get("datastores/workspaceblobstore").json["properties"]
    assert properties["containerName"] == f"azureml-blobstore-{workspace.identity.guid}"


def test_one_that_was_created_is_found_and_listed(workspace: Workspace) -> None:
    answer = create(workspace, description="d", tags={"k": "v"})
    assert (answer.status, answer.json) == (201, workspace.get("datastores/mine").json)
    assert answer.json["properties"] | {"description": "d", "tags": {"k": "v"}} == answer.json["properties"]
    assert "mine" in names(workspace.get("datastores"))


def test_the_same_again_is_an_update(workspace: Workspace) -> None:
    created = create(workspace).json["systemData"]["createdAt"]
    workspace.clock.advance(hours=1)
    answer = create(workspace, description="new")
    assert (answer.status, answer.json["properties"]["description"]) == (200, "new")
    assert answer.json["systemData"]["createdAt"] == created


def test_a_datastore_does_not_move_to_another_container(workspace: Workspace) -> None:
    create(workspace)
    answer = create(workspace, containerName="other")
    assert (answer.status, answer.error["message"]) == (
        400,
        "Datastore mine exists with other storage, which cannot be changed. Use a new name.",
    )


def test_secrets_are_not_shown_with_the_datastore(workspace: Workspace) -> None:
    assert b"hidden" not in create(workspace).body + workspace.get("datastores/mine").body


@pytest.mark.parametrize("kind", ["AccountKey", "Sas", "None"])
def test_secrets_are_given_as_the_kind_of_credentials_says(workspace: Workspace, kind: str) -> None:
    create(workspace, credentials={"credentialsType": kind})
    answer = workspace.ask("POST", workspace.arm_of("datastores/mine/listSecrets"), {"expireAfterHours": 1})
    assert answer.json["secretsType"] == ("AccountKey" if kind == "AccountKey" else "Sas")
    assert answer.headers["cache-control"] == "no-store"


def test_a_sas_opens_its_own_container_and_no_other(workspace: Workspace) -> None:
    create(workspace)
    sas = workspace.ask("POST", workspace.arm_of("datastores/mine/listSecrets")).json["sasToken"]
    anonymous = Client(workspace.app)
    listing = f"restype=container&comp=list&{sas}"
    assert anonymous("GET", f"/devstore/mine?{listing}").status == 200
    assert anonymous("GET", f"/devstore/azureml?{listing}").status == 403


def test_one_that_was_deleted_is_gone_and_its_blobs_stay(workspace: Workspace) -> None:
    create(workspace)
    sas = workspace.ask("POST", workspace.arm_of("datastores/mine/listSecrets")).json["sasToken"]
    anonymous = Client(workspace.app)
    anonymous("PUT", f"/devstore/mine/a?{sas}", b"abc", headers={"x-ms-blob-type": "BlockBlob", "content-length": "3"})
    deleted = [workspace.ask("DELETE", workspace.arm_of("datastores/mine")).status for _ in range(2)]
    assert deleted == [200, 204]
    assert workspace.get("datastores/mine").status == 404
    assert anonymous("GET", f"/devstore/mine/a?{sas}").body == b"abc"


@pytest.mark.parametrize("name", ["workspaceblobstore", "workspaceartifactstore"])
def test_a_built_in_datastore_cannot_be_deleted(workspace: Workspace, name: str) -> None:
    answer = workspace.ask("DELETE", workspace.arm_of(f"datastores/{name}"))
    assert (answer.status, workspace.get(f"datastores/{name}").status) == (400, 200)


def test_an_update_of_the_default_leaves_it_the_default(workspace: Workspace) -> None:
    sent = workspace.get("datastores/workspaceblobstore").json["properties"]
    assert workspace.put("datastores/workspaceblobstore", sent | {"description": "d"}).status == 200
    assert names(workspace.get("datastores", isDefault="true")) == {"workspaceblobstore"}


@pytest.mark.parametrize("kind", ["OneLake", "Hdfs", None])
def test_other_kinds_are_not_served_and_said_so(workspace: Workspace, kind: str | None) -> None:
    answer = create(workspace, datastoreType=kind, accountName="elsewhere")
    assert answer.status == 501
    assert str(kind) in answer.error["message"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"accountName": None}, "accountName"),
        ({"containerName": ""}, "containerName"),
        ({"containerName": 7}, "containerName"),
        ({"containerName": "../up"}, "../up"),
        ({"credentials": {"credentialsType": "ServicePrincipal"}}, "ServicePrincipal"),
        ({"credentials": "key"}, "credentials"),
        ({"tags": []}, "tags"),
    ],
)
def test_what_cannot_be_a_datastore_here_is_refused(workspace: Workspace, change: dict[str, Any], word: str) -> None:
    answer = create(workspace, **change)
    assert answer.status == 400
    assert word in answer.body.decode()
    assert workspace.get("datastores/mine").status == 404


@pytest.mark.parametrize("name", ["with-hyphen", "with%20space", "%C3%BC", "x" * 256])
def test_a_name_that_azure_refuses_is_refused(workspace: Workspace, name: str) -> None:
    answer = create(workspace, name)
    assert (answer.status, "is not valid" in answer.error["message"]) == (400, True)


def test_the_account_carries_the_port_of_today(workspace: Workspace, tmp_path: Path) -> None:
    with open_workspace(tmp_path / "root", origin="https://127.0.0.1:9999") as later:
        properties = later.get("datastores/workspaceblobstore").json["properties"]
    assert properties["accountName"] == "127.0.0.1:9999/devstore"
