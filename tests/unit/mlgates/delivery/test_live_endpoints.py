from types import SimpleNamespace
from typing import cast

import pytest
from azure.ai.ml import MLClient
from azure.ai.ml.entities import ManagedOnlineDeployment, ManagedOnlineEndpoint
from hypothesis import given
from hypothesis import strategies as st

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing
from mlgates.core.progress import Silent
from mlgates.core.values import AssetVersion
from mlgates.delivery.batch import deploy_batch
from mlgates.delivery.models import released_version
from mlgates.delivery.online import deploy_online
from mlgates.delivery.operations import LiveOnlineEndpoint, get_batch_endpoint, get_online_endpoint, served_model
from tests.unit.mlgates.fake_workspace import FakeWorkspace

MODEL = AssetVersion("classifier", "3", created=False)
names = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,20}", fullmatch=True)


def deployment(model: str) -> ManagedOnlineDeployment:
    return cast("ManagedOnlineDeployment", SimpleNamespace(name="blue", model=model))


class TestTheModelOfADeployment:
    @given(name=names, version=names)
    def test_is_read_from_its_arm_id(self, name: str, version: str) -> None:
        where = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
        assert str(served_model(deployment(f"{where}/models/{name}/versions/{version}"))) == f"{name}:{version}"

    @given(prefix=st.sampled_from(["", "azureml:"]), name=names, version=names)
    def test_is_read_from_the_short_reference(self, prefix: str, name: str, version: str) -> None:
        assert str(served_model(deployment(f"{prefix}{name}:{version}"))) == f"{name}:{version}"

    @pytest.mark.parametrize("model", ["None", "./model", "azureml://jobs/j/outputs/artifacts/paths/model/"])
    def test_may_be_no_registered_one(self, model: str) -> None:
        with pytest.raises(AssetMissing, match=r"deployment blue serves .*: no version of a registered model"):
            served_model(deployment(model))


class TestShares:
    def test_are_of_those_with_traffic_the_largest_first(self) -> None:
        endpoint = ManagedOnlineEndpoint(name="e")
        endpoint.traffic = {"blue": 10, "old": 0, "green": 90}
        assert list(LiveOnlineEndpoint(endpoint, {}).shares.items()) == [("green", 90), ("blue", 10)]

    def test_are_none_before_any_traffic(self) -> None:
        assert LiveOnlineEndpoint(ManagedOnlineEndpoint(name="e"), {}).shares == {}


class TestLooking:
    def test_online_finds_the_deployment_with_its_model(self, client: MLClient, settings: Settings) -> None:
        deploy_online(client, settings, MODEL, poll_s=0, progress=Silent())
        serving = get_online_endpoint(client, settings.online_endpoint)
        assert {name: str(served_model(each)) for name, each in serving.deployments.items()} == {"blue": "classifier:3"}

    def test_batch_finds_the_default(self, client: MLClient, settings: Settings) -> None:
        deploy_batch(client, settings, MODEL, poll_s=0, progress=Silent())
        serving = get_batch_endpoint(client, settings.batch_endpoint)
        assert (serving.name, serving.default, list(serving.deployments)) == ("batch-local", "blue", ["blue"])

    @pytest.mark.parametrize("look", [get_online_endpoint, get_batch_endpoint])
    def test_says_which_endpoint_is_missing(self, client: MLClient, look: object) -> None:
        with pytest.raises(AssetMissing, match="endpoint nowhere"):
            look(client, "nowhere")  # type: ignore[operator]  # either of two functions


class TestTheReleasedVersion:
    def register(self, workspace: FakeWorkspace, *released: str) -> None:
        for tags in released:
            workspace.models.create_or_update(SimpleNamespace(name="classifier", tags={"released": tags}))

    @pytest.mark.parametrize(
        ("tags", "version"),
        [
            (["", "", ""], "3"),
            (["true", "", ""], "1"),
            (["true", "true", ""], "2"),
            (["false", "false"], "2"),
        ],
        ids=["none is tagged", "an old one is", "the newest of two that are", "all are told not to be"],
    )
    def test_is_the_newest_that_is_tagged_so(
        self, client: MLClient, workspace: FakeWorkspace, settings: Settings, tags: list[str], version: str
    ) -> None:
        self.register(workspace, *tags)
        assert released_version(client, settings).version == version

    def test_is_missed_when_there_is_no_model(self, client: MLClient, settings: Settings) -> None:
        with pytest.raises(AssetMissing, match="train --register"):
            released_version(client, settings)
