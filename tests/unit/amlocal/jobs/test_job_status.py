import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.errors import AmlocalError, NotFound
from amlocal.jobs.status import (
    CANCELED,
    COMPLETED,
    Status,
    error_outcome,
    exit_outcome,
    incomplete_outcome,
    may_follow,
    timeout_outcome,
)

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


def test_exit_code_zero_is_completed() -> None:
    assert exit_outcome(0, "whatever was printed") == COMPLETED


def test_the_error_of_a_failed_command_has_its_exit_code_log_and_last_line() -> None:
    ending = exit_outcome(2, "ValueError: no such column")
    assert (ending.status, ending.code) == (Status.FAILED, "UserError")
    assert ending.message == (
        "Execution failed. User process '/bin/bash' exited with status code 2. "
        "Please check log file 'user_logs/std_log.txt' for error details. Error: ValueError: no such column"
    )


def test_the_error_of_a_silent_command_is_its_exit_code() -> None:
    assert exit_outcome(2, "").message.endswith("Error: exit code 2")


@pytest.mark.parametrize(("code", "name"), [(137, "SIGKILL"), (139, "SIGSEGV"), (143, "SIGTERM"), (134, "SIGABRT")])
def test_a_signal_is_named(code: int, name: str) -> None:
    assert f"status code {code} (ended by {name})." in exit_outcome(code, "").message


@pytest.mark.parametrize("code", [128, 200, 255])
def test_a_code_that_is_no_signal_stays_a_number(code: int) -> None:
    assert f"status code {code}." in exit_outcome(code, "").message


def test_a_time_limit_cancels_and_says_which() -> None:
    ending = timeout_outcome("PT1H")
    assert (ending.status, ending.message) == (
        Status.CANCELED, "The job ran longer than its limit of PT1H and was canceled."
    )  # fmt: skip


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFound("gone"), "UserError"),
        (AmlocalError("gone"), "UserError"),
        (OSError(28, "No space left on device"), "SystemError"),
    ],
)
def test_an_error_has_the_code_of_whose_fault_it_is(error: AmlocalError | OSError, code: str) -> None:
    ending = error_outcome(error)
    assert (ending.status, ending.code) == (Status.FAILED, code)
    assert str(error) in ending.message


def test_what_is_too_large_for_a_process_is_its_users_fault() -> None:
    ending = error_outcome(OSError(errno.E2BIG, "Argument list too long"))
    assert (ending.code, "in a file" in ending.message) == ("UserError", True)


def test_artifacts_that_could_not_be_uploaded_are_in_the_message() -> None:
    ending = incomplete_outcome(exit_outcome(1, ""), OSError(28, "No space left on device"))
    assert ending.message.startswith("Execution failed.")
    assert ending.message.endswith("Its artifacts could not be kept: [Errno 28] No space left on device")
    assert incomplete_outcome(CANCELED, AmlocalError("x")).message == "Its artifacts could not be kept: x"
