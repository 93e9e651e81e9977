"""The workspace, its datastores and computes, and who may see them, through the unmodified azure-ai-ml."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from azure.core.exceptions import ClientAuthenticationError, ResourceNotFoundError
from azure.storage.blob import ContainerClient

from amlocal import testing
from amlocal.testing import LocalWorkspace
from tests.contract.amlocal.sdk import AccessToken, DefaultAzureCredential, MLClient, client_of, entities


@pytest.fixture(scope="module")
def client(amlocal_workspace: LocalWorkspace) -> MLClient:
    return client_of(amlocal_workspace)


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"n{uuid4().hex[:12]}"


class TestWorkspace:
    def test_it_is_found(self, client: MLClient, amlocal_workspace: LocalWorkspace) -> None:
        found = client.workspaces.get(amlocal_workspace.name)
        assert (found.name, found.resource_group) == (amlocal_workspace.name, amlocal_workspace.resource_group)
        assert found.mlflow_tracking_uri == f"{amlocal_workspace.origin}/mlflow"

    def test_it_is_the_only_one(self, client: MLClient, amlocal_workspace: LocalWorkspace) -> None:
        assert [found.name for found in client.workspaces.list()] == [amlocal_workspace.name]

    def test_another_is_not_found_and_the_error_says_which_is_here(
        self, client: MLClient, amlocal_workspace: LocalWorkspace
    ) -> None:
        with pytest.raises(ResourceNotFoundError, match=f"This is amlocal with workspace '{amlocal_workspace.name}'"):
            client.workspaces.get("elsewhere")


class TestDatastores:
    @pytest.mark.parametrize(
        "credentials",
        [
            entities.AccountKeyConfiguration(account_key="a2V5"),
            entities.SasTokenConfiguration(sas_token="sv=1&sig=x"),
        ],
        ids=["key", "sas"],
    )
    def test_what_is_uploaded_to_one_is_there(
        self, client: MLClient, name: str, credentials: Any, tmp_path: Path
    ) -> None:
        account = client.datastores.get_default().account_name
        client.datastores.create_or_update(
            entities.AzureBlobDatastore(
                name=name, account_name=account, container_name=f"box-{name}", credentials=credentials
            )
        )
        (tmp_path / "file").write_bytes(b"content")
        model = entities.Model(name=name, version="1", path=str(tmp_path / "file"), type="custom_model", datastore=name)
        assert f"/datastores/{name}/paths/" in client.models.create_or_update(model).path
        client.models.download(name, "1", download_path=tmp_path / "back")
        assert (tmp_path / "back" / name / "file").read_bytes() == b"content"

    def test_it_is_listed_until_it_is_deleted(self, client: MLClient, name: str) -> None:
        account = client.datastores.get_default().account_name
        made = client.datastores.create_or_update(
            entities.AzureBlobDatastore(name=name, account_name=account, container_name="mine", tags={"k": "v"})
        )
        assert (made.name, made.tags) == (name, {"k": "v"})
        assert name in {found.name for found in client.datastores.list()}
        client.datastores.delete(name)
        assert name not in {found.name for found in client.datastores.list()}
        with pytest.raises(ResourceNotFoundError, match=f"Could not find datastore: {name}"):
            client.datastores.get(name)

    def test_the_default_is_azures(self, client: MLClient) -> None:
        default = client.datastores.get_default(include_secrets=True)
        assert default.name == "workspaceblobstore"
        assert default.credentials.account_key

    def test_the_storage_client_of_azure_reads_what_the_sdk_wrote(
        self, client: MLClient, amlocal_workspace: LocalWorkspace, name: str, tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_bytes(b"content")
        path = client.data.create_or_update(
            entities.Data(name=name, type="uri_file", path=str(tmp_path / "file"))
        ).path.rpartition("/paths/")[2]
        default = client.datastores.get_default(include_secrets=True)
        with ContainerClient(
            f"{amlocal_workspace.origin}/devstore", default.container_name, credential=default.credentials.account_key
        ) as container:
            assert container.download_blob(path).readall() == b"content"

    @pytest.mark.parametrize(
        "store",
        [
            entities.AzureBlobDatastore(name="", account_name="elsewhere", container_name="c"),
            entities.AzureFileDatastore(
                name="",
                account_name="elsewhere",
                file_share_name="share",
                credentials=entities.AccountKeyConfiguration(account_key="a2V5"),
            ),
            entities.AzureDataLakeGen2Datastore(name="", account_name="elsewhere", filesystem="fs"),
            entities.AzureDataLakeGen1Datastore(
                name="",
                store_name="lake",
                credentials=entities.ServicePrincipalConfiguration(
                    tenant_id="t",
                    client_id="c",
                    client_secret="s",
                    authority_url="https://login",
                    resource_url="https://r",
                ),
            ),
        ],
        ids=lambda store: type(store).__name__,
    )
    def test_storage_of_azure_is_kept_with_its_secrets(self, client: MLClient, name: str, store: Any) -> None:
        store.name = name
        client.datastores.create_or_update(store)
        kept = client.datastores.get(name, include_secrets=True)
        assert type(kept) is type(store)
        assert kept.credentials == store.credentials
        client.datastores.delete(name)
        assert name not in {found.name for found in client.datastores.list()}


class TestComputes:
    def test_a_cluster_is_made_changed_and_removed(self, client: MLClient, name: str) -> None:
        def create(most: int) -> Any:
            # Built anew: the SDK cannot send back a cluster that it got (azure-ai-ml 1.35, its subnet is None).
            cluster = entities.AmlCompute(
                name=name, size="Standard_DS3_v2", max_instances=most, idle_time_before_scale_down=180
            )
            return client.compute.begin_create_or_update(cluster).result()

        made = create(3)
        assert (made.provisioning_state, made.size, made.max_instances) == ("Succeeded", "STANDARD_DS3_V2", 3)
        changed = create(5)
        assert (changed.max_instances, changed.idle_time_before_scale_down) == (5, 180)
        assert name in {found.name for found in client.compute.list()}
        client.compute.begin_delete(name).wait()
        with pytest.raises(ResourceNotFoundError):
            client.compute.get(name)

    def test_an_instance_is_stopped_and_started(self, client: MLClient) -> None:
        name = f"i{uuid4().hex[:12]}"
        made = client.compute.begin_create_or_update(
            entities.ComputeInstance(name=name, size="Standard_DS2_v2")
        ).result()
        states = [made.state]
        for begin in (client.compute.begin_stop, client.compute.begin_start, client.compute.begin_restart):
            assert begin(name).result() is None
            states.append(client.compute.get(name).state)
        assert states == ["Running", "Stopped", "Running", "Running"]
        assert name in {found.name for found in client.compute.list(compute_type="ComputeInstance")}
        client.compute.begin_delete(name).wait()
        with pytest.raises(ResourceNotFoundError):
            client.compute.get(name)

    def test_the_first_one_is_there(self, client: MLClient) -> None:
        found = client.compute.get("cpu-cluster")
        assert (found.type, found.min_instances) == ("amlcompute", 0)


class Bearer:
    """A credential that has one token, good or not."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *_: str, **__: object) -> AccessToken:
        return AccessToken(self._token, int(datetime.now(UTC).timestamp()) + 3600)


class TestWhoMaySee:
    def test_a_token_that_the_workspace_did_not_sign_is_refused(self, amlocal_workspace: LocalWorkspace) -> None:
        with pytest.raises(ClientAuthenticationError, match="not one that this workspace signed"):
            client_of(amlocal_workspace, Bearer("e30.e30.e30")).workspaces.get(amlocal_workspace.name)

    def test_who_does_not_know_the_secret_gets_no_token(
        self, amlocal_workspace: LocalWorkspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("IDENTITY_HEADER", "a secret of yesterday")
        with pytest.raises(ClientAuthenticationError):
            client_of(amlocal_workspace).workspaces.get(amlocal_workspace.name)


def test_two_workspaces_side_by_side_do_not_see_each_other(
    client: MLClient, amlocal_workspace: LocalWorkspace, name: str
) -> None:
    client.environments.create_or_update(entities.Environment(name=name, image="img"))
    theirs = DefaultAzureCredential().get_token(f"{amlocal_workspace.origin}/.default").token
    with testing.local_workspace(workspace="other") as other, testing.use(other):
        neighbour = client_of(other)
        with pytest.raises(ResourceNotFoundError):
            neighbour.environments.get(name, "1")
        with pytest.raises(ClientAuthenticationError, match="not one that this workspace signed"):
            client_of(other, Bearer(theirs)).environments.get(name, "1")
        neighbour.environments.create_or_update(entities.Environment(name=name, image="theirs"))
    assert client.environments.get(name, "1").image == "img"
