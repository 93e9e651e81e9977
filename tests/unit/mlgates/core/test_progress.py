import threading
from functools import partial
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.errors import AssetMissing, EndpointTestFailed, JobFailed, MlgatesError
from mlgates.core.progress import (
    Event,
    JobStatusChanged,
    JobSubmitted,
    Logged,
    Progress,
    Record,
    Silent,
    StepFailed,
    StepFinished,
    StepNoted,
    StepStarted,
    side_by_side,
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


def run(lines: list[str], progress: Progress, *, error: Exception | None = None) -> int:
    with progress.step("") as step:
        for line in lines:
            step.log(line)
    if error is not None:
        raise error
    return len(lines)


def lines_of(record: Record, name: str) -> list[str]:
    return [event.line for event in record.of(Logged) if event.step and event.step.run_name == name]


runs = st.dictionaries(st.text(max_size=3), st.lists(st.text(max_size=3), max_size=4), max_size=4)


@given(runs)
def test_each_run_gives_its_result_under_its_name(plan: dict[str, list[str]]) -> None:
    made = {name: partial(run, lines) for name, lines in plan.items()}
    assert side_by_side(made, progress=Silent()) == {name: len(lines) for name, lines in plan.items()}


@given(runs)
def test_what_a_run_reports_keeps_its_order_and_none_is_lost(plan: dict[str, list[str]]) -> None:
    record = Record()
    side_by_side({name: partial(run, lines) for name, lines in plan.items()}, progress=record)
    if len(plan) > 1:
        assert {name: lines_of(record, name) for name in plan} == plan
    else:
        assert [event.line for event in record.of(Logged)] == [line for lines in plan.values() for line in lines]


def test_one_that_runs_alone_needs_no_name() -> None:
    record = Record()
    side_by_side({"only": partial(run, ["1"])}, progress=record)
    assert lines_of(record, "") == ["1"]


def test_the_runs_really_go_on_at_the_same_time() -> None:
    met = threading.Barrier(2, timeout=10)

    def meeting(_: Progress) -> int:
        return met.wait()

    assert sorted(side_by_side({"a": meeting, "b": meeting}, progress=Silent()).values()) == [0, 1]


def test_it_is_the_caller_s_thread_that_reports() -> None:
    seen: set[threading.Thread] = set()

    def hear(_: Event) -> None:
        seen.add(threading.current_thread())

    side_by_side({"a": partial(run, ["1"]), "b": partial(run, ["2"])}, progress=ProgressListener(hear))
    assert seen == {threading.current_thread()}


def test_when_one_fails_the_others_come_to_their_end() -> None:
    record = Record()
    failing = {"bad": partial(run, [], error=JobFailed("no")), "good": partial(run, ["1", "2", "3"])}
    with pytest.raises(JobFailed, match="no"):
        side_by_side(failing, progress=record)
    assert lines_of(record, "good") == ["1", "2", "3"]


def test_of_several_failures_all_are_reported_with_the_exit_code_of_the_first() -> None:
    failing = {
        "a": partial(run, [], error=EndpointTestFailed("first")),
        "b": partial(run, [], error=JobFailed("second")),
    }
    with pytest.raises(EndpointTestFailed, match="first\nsecond"):
        side_by_side(failing, progress=Silent())


def test_a_fault_of_our_own_is_not_hidden() -> None:
    bug = partial(run, [], error=ZeroDivisionError("bug"))
    with pytest.raises(MlgatesError, match="told"):
        side_by_side({"a": partial(run, [], error=MlgatesError("told")), "b": bug}, progress=Silent())
    with pytest.raises(ZeroDivisionError):
        side_by_side({"b": bug}, progress=Silent())
