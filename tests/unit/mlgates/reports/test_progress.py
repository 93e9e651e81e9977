from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.events import (
    Event,
    JobLogged,
    JobStatusChanged,
    JobSubmitted,
    StepFailed,
    StepFinished,
    StepProgressed,
    StepStarted,
)
from mlgates.reports.progress import LOG_LINES, Progress, State


def told(*events: Event) -> Progress:
    return reduce(lambda progress, event: progress.after(event, now=5.0), events, Progress())


def test_a_step_that_started_is_running_since_then() -> None:
    (step,) = told(StepStarted("data")).steps
    assert (step.name, step.state, step.began) == ("data", State.RUNNING, 5.0)


def test_a_step_that_finished_keeps_its_summary() -> None:
    (step,) = told(StepStarted("data"), StepFinished("data", 1.5, "d:1 registered")).steps
    assert (step.state, step.seconds, step.summary) == (State.DONE, 1.5, "d:1 registered")


def test_the_end_of_a_step_leaves_earlier_ones_alone() -> None:
    steps = told(StepStarted("a"), StepFinished("a", 1.0, ""), StepStarted("b"), StepFailed("b", 1.0)).steps
    assert [step.state for step in steps] == [State.DONE, State.FAILED]


def test_steps_may_run_side_by_side() -> None:
    steps = told(StepStarted("a"), StepStarted("b"), StepFinished("a", 1.0, "done"), StepProgressed("b", "half")).steps
    assert [(step.state, step.summary) for step in steps] == [(State.DONE, "done"), (State.RUNNING, "half")]


def test_a_step_that_runs_again_is_a_step_of_its_own() -> None:
    steps = told(StepStarted("a"), StepFinished("a", 1.0, "first"), StepStarted("a"), StepFailed("a", 2.0)).steps
    assert [step.state for step in steps] == [State.DONE, State.FAILED]


def test_a_job_is_known_by_its_link_and_its_last_state() -> None:
    progress = told(
        JobSubmitted("j", "https://look"), JobStatusChanged("j", "Queued"), JobStatusChanged("j", "Running")
    )
    assert (progress.job, progress.link, progress.status) == ("j", "https://look", "Running")


def test_a_new_job_starts_with_an_empty_log() -> None:
    assert told(JobSubmitted("a", None), JobLogged("a", "old"), JobSubmitted("b", None)).log == ()


@given(st.lists(st.text(), max_size=3 * LOG_LINES))
def test_the_log_keeps_its_last_lines_in_order(lines: list[str]) -> None:
    assert told(*(JobLogged("j", line) for line in lines)).log == tuple(lines[-LOG_LINES:])
