from collections.abc import Mapping
from dataclasses import replace

import mlflow
import pytest
from azure.ai.ml import MLClient
from mlflow.exceptions import MlflowException

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing, WorkspaceRefused
from mlgates.core.lineage import Lineage
from mlgates.core.values import Job
from mlgates.delivery.models import keep_page, register_model
from tests.unit.mlgates.fake_workspace import FakeWorkspace
from tests.unit.mlgates.reports.examples import CANDIDATE, PROD

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


class Artifacts:
    """MLflow's artifacts in memory: by run and path."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.refuses = False

    def log_text(self, run: str, text: str, path: str) -> None:
        if self.refuses:
            raise MlflowException("the run is gone")
        self.kept[run, path] = text


@pytest.fixture
def artifacts(monkeypatch: pytest.MonkeyPatch) -> Artifacts:
    kept = Artifacts()
    monkeypatch.setattr(mlflow, "MlflowClient", lambda uri: kept)
    return kept


def test_the_page_is_kept_with_the_run_that_made_the_candidate(client: MLClient, artifacts: Artifacts) -> None:
    keep_page(client, PROD, "<html>")
    assert artifacts.kept == {(CANDIDATE.tags["job"], "gates/prod.html"): "<html>"}


def test_the_page_of_a_gate_about_a_commit_has_no_run_to_lie_with(client: MLClient, artifacts: Artifacts) -> None:
    keep_page(client, replace(PROD, candidate=None), "<html>")
    assert artifacts.kept == {}


def test_a_page_that_cannot_be_kept_says_which_and_why(client: MLClient, artifacts: Artifacts) -> None:
    artifacts.refuses = True
    with pytest.raises(WorkspaceRefused, match=r"cannot keep gates/prod.html with job calm_river_03: the run is gone"):
        keep_page(client, PROD, "<html>")
