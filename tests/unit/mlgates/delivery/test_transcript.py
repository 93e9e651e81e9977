import json

import pytest
from azure.ai.ml.exceptions import JobException
from hypothesis import given
from hypothesis import strategies as st

from mlgates.delivery.log_stream import Transcript, reason

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


def test_a_job_that_logged_nothing_tells_nothing() -> None:
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
