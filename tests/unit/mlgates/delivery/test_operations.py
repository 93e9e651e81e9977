from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from azure.ai.ml import MLClient
from azure.ai.ml.entities import BatchEndpoint, CodeConfiguration, ManagedOnlineDeployment, ManagedOnlineEndpoint
from azure.core.exceptions import HttpResponseError
from hypothesis import given
from hypothesis import strategies as st

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing, WorkspaceRefused
from mlgates.core.progress import Progress, Record, Silent, Step, StepNoted
from mlgates.core.values import AssetVersion
from mlgates.delivery.batch import deploy_batch
from mlgates.delivery.models import released_version
from mlgates.delivery.online import deploy_online
from mlgates.delivery.operations import (
    CONTENT_TAG,
    Change,
    LiveOnlineEndpoint,
    create_or_update,
    definition,
    get_batch_endpoint,
    get_online_endpoint,
    run_operation,
    served_model,
)
from tests.unit.mlgates.fake_endpoints import FakePoller, FakeResources
from tests.unit.mlgates.fake_workspace import FakeWorkspace


@pytest.fixture
def there() -> FakeResources:
    return FakeResources()


def endpoint(**changes: Any) -> BatchEndpoint:
    return BatchEndpoint(name="e", **{"description": "one", **changes})


def step(progress: Progress | None = None) -> Step:
    return Step("endpoint", progress or Silent())


def brought_about(there: FakeResources, wanted: BatchEndpoint, progress: Progress | None = None) -> Change:
    put = lambda new, held: there.begin_create_or_update(new)  # noqa: E731
    return create_or_update(step(progress), wanted, lambda: there.get("e"), put, poll_s=0).change


def test_what_is_not_there_is_created(there: FakeResources) -> None:
    assert brought_about(there, endpoint()) is Change.CREATED


def test_what_is_as_declared_is_left_alone(there: FakeResources) -> None:
    brought_about(there, endpoint())
    assert brought_about(there, endpoint()) is Change.KEPT
    assert len(there.asked) == 1


def test_what_is_declared_otherwise_now_is_updated(there: FakeResources) -> None:
    brought_about(there, endpoint())
    assert brought_about(there, endpoint(description="two")) is Change.UPDATED


def test_an_update_is_given_what_is_there(there: FakeResources) -> None:
    brought_about(there, endpoint(tags={"old": "1"}))
    seen: list[BatchEndpoint | None] = []

    def put(new: BatchEndpoint, held: BatchEndpoint | None) -> Any:
        seen.append(held)
        return there.begin_create_or_update(new)

    create_or_update(step(), endpoint(), lambda: there.get("e"), put, poll_s=0)
    assert [held and (held.tags or {})["old"] for held in seen] == ["1"]


def test_what_failed_is_sent_again(there: FakeResources) -> None:
    there.failure = "did not come up"
    with pytest.raises(WorkspaceRefused, match="did not come up"):
        brought_about(there, endpoint())
    there.failure = None
    assert brought_about(there, endpoint()) is Change.UPDATED


def test_what_an_interrupted_run_began_is_waited_for_and_taken(there: FakeResources) -> None:
    brought_about(there, endpoint())
    there.states = ["Creating", "Updating"]
    record = Record()
    assert brought_about(there, endpoint(), record) is Change.KEPT
    assert len(record.of(StepNoted)) == 2


def test_the_tags_that_are_declared_are_kept_beside_the_fingerprint(there: FakeResources) -> None:
    brought_about(there, endpoint(tags={"team": "a"}))
    assert there.asked[0].tags.keys() == {"team", CONTENT_TAG}


def test_an_operations_way_is_reported_once_a_state() -> None:
    record = Record()
    assert run_operation(step(record), lambda: FakePoller("done", ["A", "A", "B"]), poll_s=0) == "done"  # type: ignore[arg-type, return-value]
    assert [fact.text for fact in record.of(StepNoted)] == ["A", "B"]


def test_an_operation_that_fails_is_one_clear_line() -> None:
    def begin() -> Any:
        raise HttpResponseError("the quota is used up\nand more")

    with pytest.raises(WorkspaceRefused, match=r"^cannot bring about the endpoint: the quota is used up$"):
        run_operation(step(), begin, poll_s=0)


def test_equal_definitions_have_one_fingerprint_and_others_another() -> None:
    assert definition(endpoint()) == definition(endpoint())
    assert definition(endpoint()) != definition(endpoint(description="two"))
    assert definition(ManagedOnlineEndpoint(name="e")) != definition(ManagedOnlineEndpoint(name="e", tags={"a": "b"}))


def test_the_content_of_a_scoring_script_is_part_of_the_definition(tmp_path: Path) -> None:
    def deployment() -> ManagedOnlineDeployment:
        code = CodeConfiguration(code=str(tmp_path), scoring_script="score.py")
        return ManagedOnlineDeployment(name="d", endpoint_name="e", code_configuration=code)

    (tmp_path / "score.py").write_text("one")
    before = definition(deployment())
    (tmp_path / "score.py").write_text("two")
    assert definition(deployment()) != before


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
