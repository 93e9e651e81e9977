"""A job is followed to its end, by the lines that jobs.stream prints."""

import json
import sys
from collections.abc import Callable

import pytest
from azure.ai.ml import MLClient
from azure.ai.ml.exceptions import JobException
from azure.core.exceptions import ServiceRequestError
from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.errors import JobFailed, WorkspaceUnavailable
from mlgates.core.progress import JobStatusChanged, Logged, Record, Step
from mlgates.core.values import Job
from mlgates.delivery.job_log import TAIL_LINES, Transcript, follow, reason
from tests.unit.mlgates.fake_workspace import FakeJob, FakeWorkspace, Status

STARTED = Job("j", "experiment", "Starting", "https://look")


@pytest.fixture
def workspace() -> FakeWorkspace:
    workspace = FakeWorkspace()
    workspace.jobs.held = [FakeJob("j", Status.STARTING)]
    return workspace


def followed(client: MLClient) -> tuple[Record, Job]:
    record = Record()
    return record, follow(Step("job", record), client, STARTED, poll_s=0.01)


def streaming(*lines: str, then: Exception | None = None) -> Callable[[], None]:
    def script() -> None:
        sys.stdout.write("Streaming a.txt\n" + "=" * 15 + "\n")
        sys.stdout.writelines(f"{line}\n" for line in lines)
        if then:
            raise then

    return script


def failure(message: str) -> JobException:
    document = json.dumps({"error": {"message": message}})
    return JobException(message=f"Exception : \n {document} ", no_personal_data_message="")


def test_the_log_is_reported_line_by_line(client: MLClient, workspace: FakeWorkspace) -> None:
    workspace.jobs.script = streaming("one", "two")
    record, _ = followed(client)
    assert [fact.line for fact in record.of(Logged)] == ["one", "two"]


def test_each_new_state_is_reported_once(client: MLClient, workspace: FakeWorkspace) -> None:
    workspace.jobs.states = [Status.QUEUED, Status.QUEUED, Status.RUNNING, Status.COMPLETED]
    record, job = followed(client)
    reported = [fact.status for fact in record.of(JobStatusChanged)]
    assert (reported, job.status) == (["Queued", "Running", "Completed"], "Completed")


def test_the_end_of_the_log_is_not_the_end_of_the_job(client: MLClient, workspace: FakeWorkspace) -> None:
    workspace.jobs.states = [Status.CANCEL_REQUESTED, Status.CANCEL_REQUESTED, Status.COMPLETED]
    _, job = followed(client)
    assert job.ended


def test_standard_output_is_given_back(client: MLClient, workspace: FakeWorkspace) -> None:
    before = sys.stdout
    workspace.jobs.script = streaming("one")
    followed(client)
    assert sys.stdout is before


def test_a_failed_job_is_reported_with_reason_log_and_page(client: MLClient, workspace: FakeWorkspace) -> None:
    workspace.jobs.states = [Status.FAILED]
    workspace.jobs.script = streaming("Traceback", "ValueError: x", then=failure("exit code 1"))
    with pytest.raises(JobFailed) as caught:
        followed(client)
    assert str(caught.value).splitlines() == [
        "job j ended as Failed: exit code 1",
        "the last lines of its log:",
        "  | Traceback",
        "  | ValueError: x",
        "all of it: https://studio/run",
    ]


def test_only_the_last_lines_of_a_long_log_are_repeated(client: MLClient, workspace: FakeWorkspace) -> None:
    workspace.jobs.states = [Status.FAILED]
    workspace.jobs.script = streaming(*map(str, range(100)))
    with pytest.raises(JobFailed) as caught:
        followed(client)
    shown = [line for line in str(caught.value).splitlines() if line.startswith("  | ")]
    assert shown == [f"  | {number}" for number in range(100 - TAIL_LINES, 100)]


def test_the_log_of_a_job_that_failed_at_once_is_fetched(client: MLClient, workspace: FakeWorkspace) -> None:
    workspace.jobs.states = [Status.FAILED]
    workspace.jobs.stored_log = "python: command not found\n\n"
    with pytest.raises(JobFailed, match=r"  \| python: command not found"):
        followed(client)


def test_a_job_that_failed_without_any_log_is_reported_as_such(client: MLClient, workspace: FakeWorkspace) -> None:
    workspace.jobs.states = [Status.FAILED]
    workspace.jobs.held = [FakeJob("j", Status.STARTING, studio_url=None)]
    with pytest.raises(JobFailed, match=r"^job j ended as Failed$"):
        followed(client)


def test_a_canceled_job_has_no_result_either(client: MLClient, workspace: FakeWorkspace) -> None:
    workspace.jobs.states = [Status.CANCELED]
    with pytest.raises(JobFailed, match="ended as Canceled"):
        followed(client)


def test_a_broken_stream_does_not_end_the_job(client: MLClient, workspace: FakeWorkspace) -> None:
    workspace.jobs.script = streaming("one", then=ServiceRequestError("connection reset"))
    _, job = followed(client)
    assert job.status == "Completed"


def test_a_workspace_that_goes_away_is_reported(client: MLClient, workspace: FakeWorkspace) -> None:
    def gone(name: str) -> FakeJob:
        raise ServiceRequestError("connection refused")

    workspace.jobs.get = gone  # type: ignore[method-assign] # the fake is ours to script
    with pytest.raises(WorkspaceUnavailable, match="cannot follow job j: connection refused"):
        followed(client)


HEAD = "RunId: j\nWeb View: https://look\n"
TAIL = "\nExecution Summary\n=================\nRunId: j\nWeb View: https://look\n\n"
lines = st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), min_size=1).filter(str.strip)


def streamed(name: str, *log: str) -> str:
    heading = f"\nStreaming {name}\n{'=' * (len(name) + 10)}\n\n"
    return heading + "".join(f"{line}\n" for line in log)


def passed_on(*pieces: str) -> list[str]:
    heard: list[str] = []
    transcript = Transcript(heard.append)
    for piece in pieces:
        transcript.write(piece)
    return heard


def test_the_headings_of_the_sdk_are_dropped() -> None:
    assert passed_on(HEAD + streamed("user_logs/std_log.txt", "one", "two") + TAIL) == ["one", "two"]


def test_a_second_log_file_follows_the_first() -> None:
    assert passed_on(HEAD + streamed("a.txt", "one") + streamed("b.txt", "two") + TAIL) == ["one", "two"]


def test_a_job_may_say_what_looks_like_a_heading() -> None:
    log = ["Streaming is fun", "=====", "Execution Summary", "fine"]
    assert passed_on(HEAD + streamed("a.txt", *log) + TAIL) == log


def test_blank_lines_are_dropped() -> None:
    assert passed_on(HEAD + streamed("a.txt", "one", "", "  ", "two") + TAIL) == ["one", "two"]


def test_a_job_that_logged_nothing_reports_nothing() -> None:
    assert passed_on(HEAD + TAIL) == []


@given(log=st.lists(lines, max_size=6), data=st.data())
def test_it_does_not_matter_in_which_pieces_text_arrives(log: list[str], data: st.DataObject) -> None:
    text = HEAD + streamed("a.txt", *log) + TAIL
    cut = data.draw(st.integers(0, len(text)))
    assert passed_on(text[:cut], text[cut:]) == passed_on(*text) == passed_on(text)


def test_a_written_piece_is_counted_whole() -> None:
    assert Transcript(lambda line: None).write("half a li") == 9


def job_exception(message: str) -> JobException:
    return JobException(message=message, no_personal_data_message="")


def test_the_reason_is_the_services_own_word() -> None:
    error = {"error": {"code": "UserError", "message": "exit code 1"}}
    assert reason(job_exception(f"Exception : \n {json.dumps(error, indent=4)} ")) == "exit code 1"


@pytest.mark.parametrize("text", ["Exception : \n ", "Exception : {no json}", 'Exception : {"error": null}'])
def test_without_a_reason_of_the_service_the_first_line_must_do(text: str) -> None:
    assert reason(job_exception(text)) == text.splitlines()[0].strip()
