import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from amlocal.core.errors import ApiError
from amlocal.jobs.mlflow_sync import MlflowSync, run_record
from amlocal.jobs.status import Status
from amlocal.tracking.errors import TrackingUnavailable
from amlocal.tracking.protocol import RunRecord
from tests.unit.amlocal.jobs.workspace import JobWorkspace, run, settled, until

STATUSES = {
    Status.STARTING: "SCHEDULED",
    Status.QUEUED: "SCHEDULED",
    Status.PREPARING: "RUNNING",
    Status.RUNNING: "RUNNING",
    Status.FINALIZING: "RUNNING",
    Status.CANCEL_REQUESTED: "RUNNING",
    Status.COMPLETED: "FINISHED",
    Status.FAILED: "FAILED",
    Status.CANCELED: "KILLED",
}


class Mlflow:
    """Takes records as MLflow does; a test may make it slow, or have it refuse."""

    def __init__(self) -> None:
        self.records: list[RunRecord] = []
        self.refusals: list[ApiError] = []
        self.open = asyncio.Event()
        self.open.set()

    async def record(self, record: RunRecord) -> None:
        await self.open.wait()
        if self.refusals:
            raise self.refusals.pop(0)
        self.records.append(record)

    def statuses(self, name: str = "job") -> list[str]:
        return [record.status for record in self.records if record.run_id == name]


Scene = Callable[[Mlflow, MlflowSync], Awaitable[None]]


def play(workspace: JobWorkspace, scene: Scene) -> Mlflow:
    async def whole() -> Mlflow:
        mlflow = Mlflow()
        tracked = MlflowSync(workspace.jobs, mlflow.record, pause_s=0)
        await scene(mlflow, tracked)
        await settled()
        await tracked.stop()
        return mlflow

    found: Mlflow = run(whole())
    return found


@pytest.mark.parametrize("status", list(Status))
def test_each_status_is_one_of_mlflows(workspace: JobWorkspace, status: Status) -> None:
    record = run_record(workspace.submit_in(status))
    assert (record.run_id, record.status) == ("job", STATUSES[status])
    assert (record.ended is not None) == status.ended


def test_a_run_has_its_jobs_command_tags_and_commit(workspace: JobWorkspace) -> None:
    properties = {"azureml.git.commit": "0123abc"}
    record = run_record(
        workspace.submit(displayName="My job", experimentName="e", tags={"a": "1"}, properties=properties)
    )
    assert (record.experiment, record.name) == ("e", "My job")
    assert record.tags == {
        "a": "1",
        "mlflow.source.name": "true",
        "mlflow.source.type": "JOB",
        "mlflow.user": "amlocal user",
        "mlflow.source.git.commit": "0123abc",
    }


def test_a_run_starts_when_its_command_does(workspace: JobWorkspace) -> None:
    workspace.submit_in(Status.PREPARING)
    submitted = run_record(workspace.jobs.get("job")).started
    workspace.clock.advance(minutes=1)
    workspace.jobs.advance("job", Status.RUNNING)
    assert (run_record(workspace.jobs.get("job")).started - submitted).total_seconds() == 60


def test_a_run_follows_its_job_in_order(workspace: JobWorkspace) -> None:
    async def scene(mlflow: Mlflow, tracked: MlflowSync) -> None:
        tracked.start()
        workspace.submit()
        for status in (Status.PREPARING, Status.RUNNING, Status.FINALIZING, Status.COMPLETED):
            await settled()
            workspace.jobs.advance("job", status)

    assert play(workspace, scene).statuses() == ["SCHEDULED", "RUNNING", "RUNNING", "RUNNING", "FINISHED"]
    assert workspace.jobs.unsynced() == []


def test_while_mlflow_is_slow_only_the_last_state_is_written(workspace: JobWorkspace) -> None:
    async def scene(mlflow: Mlflow, tracked: MlflowSync) -> None:
        tracked.start()
        mlflow.open.clear()
        workspace.submit_in(Status.COMPLETED)
        await settled()
        workspace.jobs.change("job", {"displayName": "renamed"})
        mlflow.open.set()

    mlflow = play(workspace, scene)
    assert [(record.status, record.name) for record in mlflow.records] == [
        ("FINISHED", "job"), ("FINISHED", "renamed")
    ]  # fmt: skip


def test_a_job_does_not_wait_for_another_ones_run(workspace: JobWorkspace) -> None:
    async def scene(mlflow: Mlflow, tracked: MlflowSync) -> None:
        tracked.start()
        mlflow.open.clear()
        workspace.submit("a")
        workspace.submit("b")
        await settled()
        mlflow.open.set()

    mlflow = play(workspace, scene)
    assert sorted(record.run_id for record in mlflow.records) == ["a", "b"]


def test_what_the_last_server_did_not_get_to_is_caught_up(workspace: JobWorkspace) -> None:
    workspace.submit_in(Status.COMPLETED, "a")
    workspace.submit_in(Status.RUNNING, "b")
    workspace.jobs.mark_synced("b", workspace.jobs.get("b").body["revision"])

    async def scene(mlflow: Mlflow, tracked: MlflowSync) -> None:
        tracked.start()

    assert [(record.run_id, record.status) for record in play(workspace, scene).records] == [("a", "FINISHED")]


def test_a_run_that_a_stop_interrupts_is_caught_up_by_the_next_start(workspace: JobWorkspace) -> None:
    async def interrupted(mlflow: Mlflow, tracked: MlflowSync) -> None:
        tracked.start()
        mlflow.open.clear()
        workspace.submit_in(Status.COMPLETED)
        await settled()

    async def started(mlflow: Mlflow, tracked: MlflowSync) -> None:
        tracked.start()

    assert play(workspace, interrupted).records == []
    assert play(workspace, started).statuses() == ["FINISHED"]


def test_a_run_is_written_when_mlflow_is_back(workspace: JobWorkspace, caplog: pytest.LogCaptureFixture) -> None:
    async def scene(mlflow: Mlflow, tracked: MlflowSync) -> None:
        mlflow.refusals = [TrackingUnavailable("MLflow's server went away.")] * 2
        tracked.start()
        workspace.submit_in(Status.FAILED)
        await until(lambda: not workspace.jobs.unsynced())

    with caplog.at_level(logging.WARNING, "amlocal"):
        assert play(workspace, scene).statuses() == ["FAILED"]
    assert caplog.text.count("is written later: MLflow's server went away.") == 2


def test_a_run_that_mlflow_refuses_is_logged_once(workspace: JobWorkspace, caplog: pytest.LogCaptureFixture) -> None:
    async def scene(mlflow: Mlflow, tracked: MlflowSync) -> None:
        mlflow.refusals = [ApiError(400, "No such tag.")]
        tracked.start()
        workspace.submit()

    with caplog.at_level(logging.ERROR, "amlocal"):
        assert play(workspace, scene).records == []
    assert "the MLflow run of job job is not up to date: No such tag." in caplog.text
    assert workspace.jobs.unsynced() == []


def test_a_job_that_is_deleted_meanwhile_has_no_run_to_follow(workspace: JobWorkspace) -> None:
    async def scene(mlflow: Mlflow, tracked: MlflowSync) -> None:
        tracked.start()
        workspace.submit_in(Status.COMPLETED)
        workspace.jobs.delete("job")

    assert play(workspace, scene).records == []
