from collections.abc import Collection

import pytest
from azure.ai.ml import MLClient

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing, DeploymentFailed
from mlgates.core.progress import Record, Silent, StepFinished
from mlgates.core.values import AssetVersion, Delivered, EndpointKind
from mlgates.delivery import endpoints as delivery
from mlgates.delivery.batch import deploy_batch
from mlgates.delivery.endpoints import destroy
from mlgates.delivery.online import deploy_online
from mlgates.delivery.operations import Change
from tests.unit.mlgates.fake_workspace import FakeWorkspace, Status

MODEL = AssetVersion("classifier", "3", created=False)


@pytest.fixture
def versions(workspace: FakeWorkspace) -> list[str]:
    """Three versions of the model."""
    for job in ("a", "b", "c"):
        workspace.models.create_or_update(type("Model", (), {"name": "classifier", "tags": {"job": job}}))
    return ["1", "2", "3"]


def deployed(
    client: MLClient,
    settings: Settings,
    kinds: Collection[EndpointKind] = tuple(EndpointKind),
    version: str | None = None,
) -> tuple[list[str], dict[EndpointKind, Delivered]]:
    record = Record()
    result = delivery.deploy(client, settings, kinds, version=version, smoke_test=False, progress=record)
    return [fact.step.name for fact in record.of(StepFinished)], dict(result)


def online(client: MLClient, settings: Settings) -> bool:
    return deploy_online(client, settings, MODEL, poll_s=0, progress=Silent()).created


def batch(client: MLClient, settings: Settings) -> bool:
    return deploy_batch(client, settings, MODEL, poll_s=0, progress=Silent()).created


@pytest.mark.usefixtures("versions")
def test_both_endpoints_are_brought_about(client: MLClient, settings: Settings) -> None:
    finished, result = deployed(client, settings)
    assert set(finished) == {
        "model",
        *(f"online {part}" for part in ("endpoint", "deployment", "traffic")),
        *(f"batch {part}" for part in ("endpoint", "deployment", "default")),
    }
    assert {kind: each.deployment.summary for kind, each in result.items()} == {
        EndpointKind.ONLINE: "online-local/blue serves classifier:3",
        EndpointKind.BATCH: "batch-local/blue serves classifier:3",
    }


@pytest.mark.usefixtures("versions")
def test_the_model_is_named_by_its_exact_version(
    client: MLClient, workspace: FakeWorkspace, settings: Settings
) -> None:
    deployed(client, settings, version="2")
    asked = workspace.online_deployments.asked + workspace.batch_deployments.asked
    assert [str(each.model).removeprefix("azureml:") for each in asked] == ["classifier:2", "classifier:2"]


@pytest.mark.usefixtures("versions")
def test_the_names_are_those_of_the_configuration(
    client: MLClient, workspace: FakeWorkspace, settings: Settings
) -> None:
    deployed(client, settings)
    assert workspace.online_deployments.held.keys() == {("blue", "online-local")}
    assert workspace.batch_deployments.held.keys() == {("blue", "batch-local")}


@pytest.mark.usefixtures("versions")
def test_one_kind_alone_leaves_the_other_untouched(
    client: MLClient, workspace: FakeWorkspace, settings: Settings
) -> None:
    deployed(client, settings, [EndpointKind.BATCH])
    assert (len(workspace.online_endpoints.asked), len(workspace.batch_endpoints.asked)) == (0, 2)


@pytest.mark.usefixtures("versions")
def test_deploying_again_sends_nothing(client: MLClient, workspace: FakeWorkspace, settings: Settings) -> None:
    deployed(client, settings)
    sent = [len(each.asked) for each in (workspace.online_endpoints, workspace.batch_deployments)]
    _, result = deployed(client, settings)
    assert [len(each.asked) for each in (workspace.online_endpoints, workspace.batch_deployments)] == sent
    assert not any(each.deployment.created for each in result.values())


@pytest.mark.usefixtures("versions")
@pytest.mark.parametrize("version", ["9", "latest"])
def test_a_version_that_is_not_there_is_reported_with_those_that_are(
    client: MLClient, settings: Settings, version: str
) -> None:
    with pytest.raises(AssetMissing, match=rf"version {version} of model classifier \(known: 3, 2, 1\)"):
        deployed(client, settings, version=version)


def test_without_any_version_the_way_out_is_reported(client: MLClient, settings: Settings) -> None:
    with pytest.raises(AssetMissing, match="run 'mlgates train --register'"):
        deployed(client, settings)


def test_the_deployment_gets_all_traffic(client: MLClient, workspace: FakeWorkspace, settings: Settings) -> None:
    online(client, settings)
    assert workspace.online_endpoints.held[("online-local",)].traffic == {"blue": 100}


def test_an_update_of_the_endpoint_keeps_its_traffic(
    client: MLClient, workspace: FakeWorkspace, settings: Settings
) -> None:
    online(client, settings)
    held = workspace.online_endpoints.held[("online-local",)]
    held.tags, held.traffic, held.mirror_traffic = {}, {"blue": 100}, {"green": 10}
    online(client, settings)
    assert workspace.online_endpoints.asked[-1].mirror_traffic == {"green": 10}
    assert workspace.online_endpoints.asked[-1].traffic == {"blue": 100}


def test_an_update_of_the_batch_endpoint_keeps_its_default(
    client: MLClient, workspace: FakeWorkspace, settings: Settings
) -> None:
    batch(client, settings)
    workspace.batch_endpoints.held[("batch-local",)].tags = {}
    batch(client, settings)
    assert workspace.batch_endpoints.asked[-1].defaults == {"deployment_name": "blue"}


def test_a_deployment_that_does_not_come_up_is_reported_with_its_log(
    client: MLClient, workspace: FakeWorkspace, settings: Settings
) -> None:
    workspace.online_deployments.failure = "User container has crashed"
    with pytest.raises(
        DeploymentFailed, match=r"User container has crashed\nthe last lines of its log:\n  \| first line\n  \| last"
    ):
        online(client, settings)


def test_a_batch_deployment_that_is_refused_is_reported(
    client: MLClient, workspace: FakeWorkspace, settings: Settings
) -> None:
    workspace.batch_deployments.failure = "no such compute"
    with pytest.raises(DeploymentFailed, match="no such compute"):
        batch(client, settings)


@pytest.mark.usefixtures("versions")
def test_a_failure_of_one_kind_does_not_stop_the_other(
    client: MLClient, workspace: FakeWorkspace, settings: Settings
) -> None:
    workspace.online_deployments.failure = "User container has crashed"
    with pytest.raises(DeploymentFailed):
        deployed(client, settings)
    assert workspace.batch_endpoints.held[("batch-local",)].defaults == {"deployment_name": "blue"}


@pytest.mark.usefixtures("versions")
def test_batch_is_tried_once_it_is_up(client: MLClient, workspace: FakeWorkspace, settings: Settings) -> None:
    workspace.jobs.states = [Status.COMPLETED]
    result = delivery.deploy(client, settings, [EndpointKind.BATCH], version=None, smoke_test=True, progress=Silent())
    smoke_test = result[EndpointKind.BATCH].smoke_test
    assert smoke_test is not None
    assert smoke_test.summary == "batch-local scored 2 rows (job job-1)"


def test_destroying_deletes_what_is_there_and_minds_nothing_else(
    client: MLClient, workspace: FakeWorkspace, settings: Settings
) -> None:
    online(client, settings)
    outcomes = destroy(client, settings, tuple(EndpointKind), poll_s=0, progress=Silent())
    assert {outcome.name: outcome.change for outcome in outcomes} == {
        "online-local": Change.DELETED,
        "batch-local": Change.ABSENT,
    }
    assert workspace.online_endpoints.held == {}
