from collections.abc import Mapping

import pytest
from azure.ai.ml import MLClient

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing
from mlgates.core.lineage import Lineage
from mlgates.core.values import Job
from mlgates.delivery.models import register_model
from tests.unit.mlgates.fake_workspace import FakeWorkspace

TAGS = {"git_commit": "c0ffee", "git_dirty": "False", "data": "patients:7", "data_sha256": "ab" * 32, "stage": "x"}
DONE = Job("job-1", "experiment", "Completed", tags=TAGS)


def metrics() -> Mapping[str, float]:
    return {"accuracy": 0.789}


def never() -> Mapping[str, float]:
    raise AssertionError("the metrics of a registered job are not asked for again")


def test_the_model_comes_from_the_artifacts_of_its_job(
    client: MLClient, workspace: FakeWorkspace, settings: Settings
) -> None:
    register_model(client, settings, DONE, metrics)
    (model,) = workspace.models.saved
    assert model.path == "azureml://jobs/job-1/outputs/artifacts/paths/my-model/"


def test_the_model_carries_its_lineage(client: MLClient, settings: Settings) -> None:
    version = register_model(client, settings, DONE, metrics)
    assert Lineage.from_tags(version.tags) == Lineage(
        job="job-1",
        git_commit="c0ffee",
        git_dirty="False",
        data="patients:7",
        data_sha256="ab" * 32,
        data_origin="unknown",
        environment="unknown",
        build_sha256="unknown",
        metrics={"accuracy": 0.789},
    )


def test_the_same_job_is_the_same_version(client: MLClient, settings: Settings) -> None:
    first = register_model(client, settings, DONE, metrics)
    again = register_model(client, settings, DONE, never)
    assert (str(first), str(again), again.created) == ("classifier:1", "classifier:1", False)


def test_another_job_is_another_version(client: MLClient, settings: Settings) -> None:
    register_model(client, settings, DONE, metrics)
    assert str(register_model(client, settings, Job("job-2", "experiment", "Completed"), metrics)) == "classifier:2"


@pytest.mark.parametrize("status", ["Running", "Failed", "Canceled"])
def test_only_a_completed_job_has_a_model(client: MLClient, settings: Settings, status: str) -> None:
    with pytest.raises(AssetMissing, match=f"job j is {status}"):
        register_model(client, settings, Job("j", "experiment", status), metrics)
