"""A server ends in the middle of everything, and the next one starts on the same folder."""

import pytest

from amlocal.jobs.runner import recover
from amlocal.jobs.status import Status
from tests.unit.amlocal.jobs.running import Running
from tests.unit.amlocal.jobs.test_runner_recovery import recovered
from tests.unit.amlocal.jobs.workspace import JobWorkspace, run, settled


@pytest.mark.parametrize("status", [Status.STARTING, Status.QUEUED])
def test_a_job_that_had_not_begun_runs(workspace: JobWorkspace, status: Status) -> None:
    workspace.submit_in(status, command="echo ran")
    running = recovered(workspace)
    assert (workspace.jobs.status("job"), running.kept_log) == (Status.COMPLETED, "ran\n")


def test_jobs_that_waited_run_in_the_order_of_their_submission(workspace: JobWorkspace) -> None:
    for name in ("b", "a", "c"):
        workspace.submit_in(Status.QUEUED, name, computeId="one")
    running = Running(workspace)
    order: list[str] = []
    workspace.jobs.subscribe(lambda name: order.append(name) if workspace.jobs.status(name) == Status.RUNNING else None)

    async def scene() -> None:
        await recover(workspace.jobs, running.queue, running.runner, workspace.folder)
        while not all(Status(document.body["status"]).ended for document in workspace.jobs.listed().all()):
            await settled()

    run(scene())
    assert order == ["b", "a", "c"]
