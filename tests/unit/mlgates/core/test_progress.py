from itertools import count

import pytest

from mlgates.core.errors import AssetMissing
from mlgates.core.progress import (
    Event,
    JobStatusChanged,
    JobSubmitted,
    Logged,
    Progress,
    Record,
    StepFailed,
    StepFinished,
    StepNoted,
    StepStarted,
)
from mlgates.core.values import AssetVersion
from tests.unit.mlgates.progress_listener import ProgressListener

MODEL = AssetVersion("m", "1", created=True)


@pytest.fixture
def record() -> Record:
    """Events, by a clock that ticks every two seconds."""
    ticks = count(start=0, step=2)
    return Record(clock=lambda: float(next(ticks)))


def test_a_step_reports_its_start_its_duration_and_its_result(record: Record) -> None:
    assert record.run("model", lambda: MODEL) is MODEL
    started, finished = record.events
    assert isinstance(started, StepStarted)
    assert finished == StepFinished(started.step, 2.0, "m:1 registered")
    assert started.step.name == "model"


def test_what_is_reported_on_the_way_comes_between(record: Record) -> None:
    with record.step("job") as step:
        step.note("waits")
        step.job("j", "https://look")
        step.status("Running")
        step.log("hello")
        step.done(MODEL)
    assert record.events[1:-1] == [
        StepNoted(step, "waits"),
        JobSubmitted(step, "j", "https://look"),
        JobStatusChanged(step, "j", "Running"),
        Logged(step, "hello"),
    ]


def test_a_failed_step_says_so_and_lets_the_error_through(record: Record) -> None:
    def refuse() -> AssetVersion:
        raise AssetMissing("no data")

    with pytest.raises(AssetMissing, match="no data"):
        record.run("data", refuse)
    assert [type(event) for event in record.events] == [StepStarted, StepFailed]


def test_a_fault_of_our_own_is_not_reported_as_a_failed_step(record: Record) -> None:
    with pytest.raises(ZeroDivisionError), record.step("data"):
        raise ZeroDivisionError
    assert [type(event) for event in record.events] == [StepStarted]


def test_two_steps_of_one_name_are_two_steps(record: Record) -> None:
    with record.step("job") as one, record.step("job") as other:
        one.note("1")
        other.note("2")
    assert [event.text for event in record.of(StepNoted) if event.step is one] == ["1"]


def test_a_line_may_be_written_outside_of_any_step(record: Record) -> None:
    record.log("1 passed")
    assert record.events == [Logged(None, "1 passed")]


def test_what_a_part_of_a_step_reports_belongs_to_that_step(record: Record) -> None:
    def part(progress: Progress) -> None:
        with progress.step("online deployment") as step:
            assert step.name == "online deployment"
            step.note("Creating")
            step.done(MODEL)

    with record.step("baseline") as step:
        part(step.inner)
    assert record.events[1:-1] == [StepNoted(step, "Creating")]
    assert record.of(StepFinished)[0].summary == ""


def test_a_part_of_a_part_is_a_part(record: Record) -> None:
    with record.step("outer") as outer, outer.inner.step("middle") as middle, middle.inner.step("inner") as inner:
        inner.log("hello")
    assert record.of(Logged) == [Logged(outer, "hello")]


def test_who_listens_may_end_the_run() -> None:
    class Stop(BaseException):
        pass

    def hear(event: Event) -> None:
        if isinstance(event, StepNoted):
            raise Stop

    with pytest.raises(Stop), ProgressListener(hear).step("job") as step:
        step.note("half")
