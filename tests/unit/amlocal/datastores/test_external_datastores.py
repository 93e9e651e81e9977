"""Datastores whose storage is in Azure: kept, shown, listed, deleted, and refused where someone would use them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.errors import ApiError
from amlocal.datastores.store import Datastores
from tests.unit.amlocal.asgi import FEW, Workspace

PLACES: dict[str, dict[str, str]] = {
    "AzureBlob": {"accountName": "elsewhere", "containerName": "c"},
    "AzureFile": {"accountName": "elsewhere", "fileShareName": "share"},
    "AzureDataLakeGen1": {"storeName": "lake"},
    "AzureDataLakeGen2": {"accountName": "elsewhere", "filesystem": "fs"},
}
PRINCIPAL = {"clientId": "c", "tenantId": "t"}
CREDENTIALS: list[dict[str, Any]] = [
    {"credentialsType": "AccountKey", "secrets": {"secretsType": "AccountKey", "key": "hidden"}},
    {"credentialsType": "Sas", "secrets": {"secretsType": "Sas", "sasToken": "hidden"}},
    {"credentialsType": "ServicePrincipal", **PRINCIPAL, "secrets": {"clientSecret": "hidden"}},
    {"credentialsType": "Certificate", **PRINCIPAL, "thumbprint": "p", "secrets": {"certificate": "hidden"}},
    {"credentialsType": "None"},
]
EACH_KIND = pytest.mark.parametrize("kind", PLACES)


def put(workspace: Workspace, kind: str, **changes: Any) -> Any:
    body = {"datastoreType": kind, "credentials": {"credentialsType": "None"}, **PLACES[kind]} | changes
    return workspace.put("datastores/far", body)


@FEW
@given(kind=st.sampled_from(sorted(PLACES)), credentials=st.sampled_from(CREDENTIALS))
def test_every_kind_is_kept_with_every_kind_of_credentials(
    shared_workspace: Workspace, kind: str, credentials: dict[str, Any]
) -> None:
    shared_workspace.ask("DELETE", shared_workspace.arm_of("datastores/far"))
    created = put(shared_workspace, kind, credentials=credentials)
    shown = shared_workspace.get("datastores/far")
    assert (created.status, created.json) == (201, shown.json)
    assert shown.json["properties"] | PLACES[kind] | {"datastoreType": kind} == shown.json["properties"]
    assert b"hidden" not in shown.body
    assert "far" in {row["name"] for row in shared_workspace.get("datastores").json["value"]}
    secrets = shared_workspace.ask("POST", shared_workspace.arm_of("datastores/far/listSecrets"), {})
    assert (secrets.status == 200) is ("secrets" in credentials)
    if "secrets" in credentials:
        assert "hidden" in secrets.json.values()


@EACH_KIND
def test_new_secrets_replace_the_old(workspace: Workspace, kind: str) -> None:
    for key in ("old", "new"):
        answer = put(workspace, kind, credentials={"credentialsType": "AccountKey", "secrets": {"key": key}})
    assert answer.status == 200
    secrets = workspace.ask("POST", workspace.arm_of("datastores/far/listSecrets"), {})
    assert secrets.json == {"secretsType": "AccountKey", "key": "new"}


@EACH_KIND
def test_who_would_use_it_is_told_what_it_is(workspace: Workspace, kind: str) -> None:
    put(workspace, kind)
    with pytest.raises(ApiError, match=r"Datastore far is the .* in Azure, which a local workspace does not reach"):
        Datastores(workspace.app._context).locate("azureml://datastores/far/paths/x")


@EACH_KIND
def test_a_job_that_reads_or_writes_it_is_refused_when_it_is_sent(workspace: Workspace, kind: str) -> None:
    put(workspace, kind)
    uri = {"uri": "azureml://datastores/far/paths/x"}
    job = {"jobType": "Command", "command": "true", "environmentId": "azureml:AzureML-sklearn-1.5:1"}
    read = workspace.put("jobs/read", job | {"inputs": {"x": uri | {"jobInputType": "uri_file"}}})
    written = workspace.put("jobs/write", job | {"outputs": {"y": uri | {"jobOutputType": "uri_folder"}}})
    for answer in (read, written):
        assert (answer.status, "Datastore far is the" in answer.error["message"]) == (501, True)


@EACH_KIND
def test_it_can_be_deleted(workspace: Workspace, kind: str) -> None:
    put(workspace, kind)
    assert workspace.ask("DELETE", workspace.arm_of("datastores/far")).status == 200
    assert workspace.get("datastores/far").status == 404


@EACH_KIND
def test_without_a_place_it_is_refused_and_the_missing_key_named(workspace: Workspace, kind: str) -> None:
    for key in PLACES[kind]:
        answer = put(workspace, kind, **{key: None})
        assert (answer.status, key in answer.error["message"]) == (400, True)


@pytest.mark.parametrize("credentials", [one | {"secrets": {}} for one in CREDENTIALS if "secrets" in one])
def test_credentials_without_their_secret_are_refused(workspace: Workspace, credentials: dict[str, Any]) -> None:
    assert put(workspace, "AzureBlob", credentials=credentials).status == 400


def test_no_datastore_moves_between_azure_and_this_machine(workspace: Workspace) -> None:
    put(workspace, "AzureBlob")
    assert put(workspace, "AzureBlob", accountName="devstore").status == 400
    assert put(workspace, "AzureFile").status == 400


def test_the_default_stays_the_default(workspace: Workspace) -> None:
    answer = put(workspace, "AzureBlob", isDefault=True)
    assert (answer.status, "workspaceblobstore" in answer.error["message"]) == (400, True)
