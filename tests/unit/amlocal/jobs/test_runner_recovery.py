"""A server ends in the middle of everything, and the next one starts on the same folder."""

import errno

import pytest

from amlocal.jobs.runner import recover
from amlocal.jobs.status import STOPPED, Status
from tests.unit.amlocal.jobs.running import Running
from tests.unit.amlocal.jobs.workspace import JobWorkspace, run, settled

RAN = [Status.PREPARING, Status.RUNNING, Status.FINALIZING]


def recovered(workspace: JobWorkspace) -> Running:
    """Start anew on what is in the folder; let the jobs that were queued run to their ends."""
    running = Running(workspace)

    async def scene() -> None:
        await recover(workspace.jobs, running.queue, running.runner, workspace.folder)
        await settled()
        for document in workspace.jobs.listed().all():
            if not Status(document.body["status"]).ended:
                await running.ended()

    run(scene())
    return running


@pytest.mark.parametrize("status", RAN)
def test_a_job_that_ran_is_failed_with_the_reason_and_its_log(workspace: JobWorkspace, status: Status) -> None:
    workspace.submit_in(status)
    folder = workspace.job_folder()
    folder.log.write_text("epoch 1\nepo")
    (folder.work / "outputs").mkdir()
    (folder.work / "outputs" / "checkpoint").write_text("1")
    running = recovered(workspace)
    assert workspace.jobs.status("job") == Status.FAILED
    assert running.error["message"] == STOPPED.message
    assert running.kept_log.startswith("epoch 1\nepo\n[amlocal ")
    assert workspace.artifact("outputs/checkpoint") == b"1"
    assert not folder.root.exists()


def test_a_job_that_was_to_end_is_canceled(workspace: JobWorkspace) -> None:
    workspace.submit_in(Status.CANCEL_REQUESTED)
    workspace.job_folder().log.write_text("epoch 1\n")
    running = recovered(workspace)
    assert (workspace.jobs.status("job"), running.kept_log) == (Status.CANCELED, "epoch 1\n")


def test_a_job_that_ran_without_leaving_a_folder_is_failed_all_the_same(workspace: JobWorkspace) -> None:
    workspace.submit_in(Status.PREPARING)
    recovered(workspace)
    assert workspace.jobs.status("job") == Status.FAILED


def test_the_log_of_a_job_that_had_ended_is_kept_as_it_is(workspace: JobWorkspace) -> None:
    workspace.submit_in(Status.COMPLETED)
    workspace.job_folder().log.write_text("done\n")
    running = recovered(workspace)
    assert (workspace.jobs.status("job"), running.kept_log) == (Status.COMPLETED, "done\n")


def test_folders_of_jobs_that_nobody_knows_are_cleared(workspace: JobWorkspace) -> None:
    workspace.job_folder("deleted").log.write_text("x")
    recovered(workspace)
    assert list(workspace.folder.jobs.iterdir()) == []
    assert workspace.blobs.list("azureml") == []


def test_a_second_start_changes_nothing(workspace: JobWorkspace) -> None:
    workspace.submit_in(Status.RUNNING)
    recovered(workspace)
    before = workspace.jobs.get("job")
    recovered(workspace)
    assert workspace.jobs.get("job") == before


def test_a_log_that_still_cannot_be_kept_stays_for_the_next_start(
    workspace: JobWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.submit_in(Status.COMPLETED)
    folder = workspace.job_folder()
    folder.log.write_text("done\n")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("amlocal.jobs.outputs.OutputCollector.log", full)
        recovered(workspace)
    assert folder.log.read_text() == "done\n"
    assert recovered(workspace).kept_log == "done\n"
