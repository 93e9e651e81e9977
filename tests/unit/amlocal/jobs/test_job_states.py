from hypothesis import given
from hypothesis import strategies as st

from amlocal.jobs.states import Status, may_follow

STATUSES = st.sampled_from(list(Status))
# The names that azure-ai-ml 1.35 knows (azure.ai.ml.constants._job.job.JobStatus, RunHistoryConstants).
AZURES = {
    "NotStarted", "Queued", "Preparing", "Provisioning", "Starting", "Running", "CancelRequested", "Finalizing",
    "Completed", "Failed", "Canceled", "NotResponding", "Paused",
}  # fmt: skip


@given(st.sampled_from([status for status in Status if status.ended]), STATUSES)
def test_nothing_follows_an_end(end: Status, after: Status) -> None:
    assert not may_follow(end, after)


@given(st.lists(STATUSES, max_size=40))
def test_no_walk_comes_back_to_where_it_was(steps: list[Status]) -> None:
    now, seen = Status.STARTING, [Status.STARTING]
    for step in steps:
        if may_follow(now, step):
            now = step
            seen.append(now)
    assert len(seen) == len(set(seen))


@given(STATUSES)
def test_every_status_that_is_no_end_can_still_fail_and_be_canceled(status: Status) -> None:
    assert status.ended or (may_follow(status, Status.FAILED) and may_follow(status, Status.CANCELED))


@given(STATUSES)
def test_only_finalizing_completes(status: Status) -> None:
    assert may_follow(status, Status.COMPLETED) == (status == Status.FINALIZING)


@given(STATUSES)
def test_a_job_that_was_asked_to_end_only_ends(after: Status) -> None:
    assert may_follow(Status.CANCEL_REQUESTED, after) == (after in (Status.FAILED, Status.CANCELED))


def test_azure_knows_every_status() -> None:
    assert {*Status} <= AZURES
