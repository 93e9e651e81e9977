from collections.abc import Mapping
from pathlib import Path

import pytest
from azure.ai.ml import MLClient

from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing, EndpointTestFailed, JobFailed
from mlgates.core.progress import Silent
from mlgates.core.values import AssetVersion, BatchSmokeTest, OnlineSmokeTest
from mlgates.delivery.batch import smoke_test_batch
from mlgates.delivery.online import address, deploy_online, smoke_test_online
from mlgates.delivery.operations import batch_log, online_log
from mlgates.endpoint_client import Address, EndpointClient, Exchange, ScoringRequest, ScoringResponse
from tests.unit.mlgates.fake_workspace import FakeJob, FakeWorkspace, Status


class Canned(EndpointClient):
    """An endpoint that always answers the same, and no connection."""

    answer: ScoringResponse

    def score(self, body: bytes, headers: Mapping[str, str]) -> ScoringResponse:
        self.last = Exchange(ScoringRequest(body, headers), self.answer, self.address.uri, 0.02)
        return self.answer


@pytest.fixture
def served(client: MLClient, settings: Settings) -> None:
    """An online deployment."""
    model = AssetVersion("classifier", "1", created=False)
    deploy_online(client, settings, model, poll_s=0, progress=Silent())


def tried(client: MLClient, settings: Settings, status: int, body: str) -> OnlineSmokeTest:
    headers = {"azureml-model-deployment": "blue", "x-request-id": "r-1"}

    def reach(where: Address) -> EndpointClient:
        endpoint = Canned(where)
        endpoint.answer = ScoringResponse(status, body.encode(), headers)
        return endpoint

    return smoke_test_online(client, settings, reach=reach)


@pytest.mark.usefixtures("served")
def test_an_answered_sample_is_reported_with_who_answered(client: MLClient, settings: Settings) -> None:
    smoke_test = tried(client, settings, 200, "[1]")
    assert smoke_test.summary == "online-local/blue answered 1 prediction in 20 ms"
    assert (smoke_test.predictions, smoke_test.request_id) == ([1], "r-1")


@pytest.mark.usefixtures("served")
def test_the_line_that_repeats_the_request_leaves_the_key_out(client: MLClient, settings: Settings) -> None:
    curl = tried(client, settings, 200, "[1]").curl
    assert ("the key" in curl, "https://scoring/online-local" in curl, "$KEY" in curl) == (False, True, True)


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    ("status", "body", "complaint"),
    [
        (424, '{"message": "no"}', "answered 424"),
        (200, "<html>", "not JSON"),
        (200, '{"predictions": [1]}', "no list"),
        (200, "[]", "no list"),
    ],
)
def test_any_other_answer_fails_the_trial_with_its_evidence(
    client: MLClient, settings: Settings, status: int, body: str, complaint: str
) -> None:
    with pytest.raises(EndpointTestFailed) as failure:
        tried(client, settings, status, body)
    said = str(failure.value)
    assert [part in said for part in (complaint, "deployment blue", "r-1", "curl", "the key")] == [
        *[True] * 4,
        False,
    ]


@pytest.mark.usefixtures("served")
def test_a_sample_that_is_not_there_is_reported(client: MLClient, settings: Settings) -> None:
    (settings.project.root / "data" / "online.json").unlink()
    with pytest.raises(AssetMissing, match=r"data/online.json \(ONLINE_SAMPLE_REQUEST, mlops/config-mlops.yml\)"):
        tried(client, settings, 200, "[1]")


def test_an_endpoint_that_is_not_there_is_reported(client: MLClient, settings: Settings) -> None:
    with pytest.raises(AssetMissing, match="look up online endpoint online-local"):
        address(client, settings.online_endpoint)


def scored(client: MLClient, settings: Settings) -> BatchSmokeTest:
    return smoke_test_batch(client, settings, poll_s=0.01, progress=Silent())


def test_a_prediction_for_each_row_passes(client: MLClient, workspace: FakeWorkspace, settings: Settings) -> None:
    assert scored(client, settings).rows == 2
    ((endpoint, given),) = workspace.batch_endpoints.invoked
    assert (endpoint, given.type, given.path) == (
        "batch-local",
        "uri_file",
        str(settings.project.root / "data" / "batch.csv"),
    )


def test_a_row_without_a_prediction_fails(client: MLClient, workspace: FakeWorkspace, settings: Settings) -> None:
    workspace.jobs.predictions = "0,1,batch.csv\n"
    with pytest.raises(EndpointTestFailed, match=r"1 predictions for 2 rows of data/batch.csv"):
        scored(client, settings)


def test_a_job_that_failed_fails_the_trial(client: MLClient, workspace: FakeWorkspace, settings: Settings) -> None:
    workspace.jobs.states = [Status.FAILED]
    with pytest.raises(JobFailed):
        scored(client, settings)


def test_a_batch_sample_that_is_not_there_is_reported(client: MLClient, settings: Settings) -> None:
    (settings.project.root / "data" / "batch.csv").unlink()
    with pytest.raises(AssetMissing, match="BATCH_SAMPLE_REQUEST"):
        scored(client, settings)


def test_the_log_of_a_deployment_is_its_last_lines(client: MLClient) -> None:
    assert online_log(client, "online-local", "blue", lines=1) == ["last line"]


def test_the_log_of_batch_is_that_of_its_newest_job(client: MLClient, workspace: FakeWorkspace) -> None:
    workspace.jobs.held = [FakeJob("job-1", Status.COMPLETED, "batch-local")]
    workspace.jobs.stored_log = "one\ntwo\n"
    assert batch_log(client, "batch-local", lines=1) == ["two"]


def test_a_batch_endpoint_that_never_scored_has_no_log(client: MLClient) -> None:
    with pytest.raises(AssetMissing, match="mlgates test --only batch"):
        batch_log(client, "batch-local", lines=1)


def test_the_sample_may_be_a_folder(client: MLClient, settings: Settings, tmp_path: Path) -> None:
    folder = settings.project.root / "data" / "batch.csv"
    folder.unlink()
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text("a,b\n1,2\n")
    assert scored(client, settings).rows == 2
