"""The smoke suite notices what must wake somebody, and nothing of the workspace is other for it."""

from collections.abc import Iterator

import pytest
from azure.ai.ml import MLClient
from azure.ai.ml.entities import Model

from mlgates.config.settings import Settings
from mlgates.core.values import AssetVersion
from mlgates.delivery.operations import LiveOnlineEndpoint
from tests.faults.conftest import RunSuite, failed

ONLINE = "smoke/test_online_endpoint.py::TestOnlineEndpoint"
BATCH = "smoke/test_batch_endpoint.py::TestBatchEndpoint"


@pytest.fixture
def traffic_at_zero(mlgates_workspace: MLClient, mlgates_online_endpoint: LiveOnlineEndpoint) -> Iterator[None]:
    shares = dict(mlgates_online_endpoint.shares)
    set_traffic(mlgates_workspace, mlgates_online_endpoint.name, dict.fromkeys(shares, 0))
    yield
    set_traffic(mlgates_workspace, mlgates_online_endpoint.name, shares)


def set_traffic(workspace: MLClient, name: str, shares: dict[str, int]) -> None:
    endpoint = workspace.online_endpoints.get(name)
    endpoint.traffic = shares
    workspace.online_endpoints.begin_create_or_update(endpoint).result()


@pytest.fixture
def wrong_version(mlgates_workspace: MLClient, mlgates_candidate: AssetVersion) -> Iterator[None]:
    """A newer version is released, and what serves is still the old one."""
    path = mlgates_workspace.models.get(mlgates_candidate.name, mlgates_candidate.version).path
    newer = Model(name=mlgates_candidate.name, path=path, type="mlflow_model", tags={"released": "true"})
    saved = mlgates_workspace.models.create_or_update(newer)
    yield
    mlgates_workspace.models.archive(saved.name, saved.version)


def test_it_passes_on_what_is_sound(run_suite: RunSuite) -> None:
    reports = run_suite("smoke")
    assert reports
    assert failed(reports) == set()


def test_it_changes_nothing(run_suite: RunSuite, mlgates_workspace: MLClient, mlgates_settings: Settings) -> None:
    before = inventory(mlgates_workspace, mlgates_settings)
    run_suite("smoke")
    assert inventory(mlgates_workspace, mlgates_settings) == before


@pytest.mark.usefixtures("traffic_at_zero")
def test_it_notices_traffic_at_zero(run_suite: RunSuite) -> None:
    assert failed(run_suite("smoke")) == {
        f"{ONLINE}::test_it_answers_the_sample_with_a_prediction_a_row",
        f"{ONLINE}::test_its_median_answer_comes_within_the_limit",
        f"{ONLINE}::test_its_traffic_adds_up_to_100",
    }


@pytest.mark.usefixtures("wrong_version")
def test_it_notices_a_wrong_version_serving(run_suite: RunSuite) -> None:
    assert failed(run_suite("smoke")) == {
        f"{ONLINE}::test_every_deployment_with_traffic_serves_the_released_version",
        f"{BATCH}::test_its_default_deployment_scores_with_the_released_version",
    }


@pytest.mark.usefixtures("traffic_at_zero")
def test_its_failures_say_how_to_repeat_the_request(
    run_suite: RunSuite, mlgates_online_endpoint: LiveOnlineEndpoint
) -> None:
    (report,) = (each for each in run_suite("smoke") if "answers_the_sample" in each.nodeid)
    section = dict(report.sections)["mlgates: what was under test"]
    assert "curl --config - --cacert " in section
    assert f" {mlgates_online_endpoint.endpoint.scoring_uri} " in section


def inventory(workspace: MLClient, settings: Settings) -> dict[str, object]:
    """What a workspace holds that somebody could have changed, as plain values."""
    online, batch = settings.online_endpoint, settings.batch_endpoint
    return {
        "jobs": sorted(str(job.name) for job in workspace.jobs.list()),
        "models": sorted(str(model.version) for model in workspace.models.list(name=settings.model_name)),
        "endpoints": [str(each.name) for each in workspace.online_endpoints.list()]
        + [str(each.name) for each in workspace.batch_endpoints.list()],
        "definitions": [
            workspace.online_endpoints.get(online)._to_dict(),
            workspace.batch_endpoints.get(batch)._to_dict(),
            *(each._to_dict() for each in workspace.online_deployments.list(online)),
            *(each._to_dict() for each in workspace.batch_deployments.list(batch)),
        ],
    }
