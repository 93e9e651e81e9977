from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.progress import (
    Fact,
    JobStatusChanged,
    JobSubmitted,
    Logged,
    Silent,
    Step,
    StepFailed,
    StepFinished,
    StepNoted,
    StepStarted,
)
from mlgates.reports.run_view import LOG_LINES, RunView, State

A, B = Step("a", Silent()), Step("b", Silent())


def told(*facts: Fact) -> RunView:
    return reduce(lambda view, fact: view.after(fact, now=5.0), facts, RunView())


def test_a_step_that_started_is_running_since_then() -> None:
    (view,) = told(StepStarted(A)).steps
    assert (view.step, view.state, view.began) == (A, State.RUNNING, 5.0)


def test_a_step_that_finished_keeps_its_summary() -> None:
    (view,) = told(StepStarted(A), StepFinished(A, 1.5, "d:1 registered")).steps
    assert (view.state, view.seconds, view.summary) == (State.DONE, 1.5, "d:1 registered")


def test_the_end_of_a_step_leaves_earlier_ones_alone() -> None:
    steps = told(StepStarted(A), StepFinished(A, 1.0, ""), StepStarted(B), StepFailed(B, 1.0)).steps
    assert [view.state for view in steps] == [State.DONE, State.FAILED]


def test_steps_may_run_side_by_side() -> None:
    steps = told(StepStarted(A), StepStarted(B), StepFinished(A, 1.0, "done"), StepNoted(B, "half")).steps
    assert [(view.state, view.summary) for view in steps] == [(State.DONE, "done"), (State.RUNNING, "half")]


def test_a_step_that_runs_again_is_a_step_of_its_own() -> None:
    again = Step("a", Silent())
    steps = told(StepStarted(A), StepFinished(A, 1.0, "first"), StepStarted(again), StepFailed(again, 2.0)).steps
    assert [view.state for view in steps] == [State.DONE, State.FAILED]


def test_two_steps_of_one_name_that_run_at_once_are_kept_apart() -> None:
    same = Step("a", Silent())
    steps = told(StepStarted(A), StepStarted(same), StepNoted(A, "first"), StepNoted(same, "second")).steps
    assert [view.summary for view in steps] == ["first", "second"]


def test_a_job_is_known_by_its_link_and_its_last_state() -> None:
    (view,) = told(
        StepStarted(A),
        JobSubmitted(A, "j", "https://look"),
        JobStatusChanged(A, "j", "Queued"),
        JobStatusChanged(A, "j", "Running"),
    ).steps
    assert (view.job, view.link, view.status) == ("j", "https://look", "Running")


def test_two_jobs_that_are_followed_at_once_each_keep_their_state_and_log() -> None:
    one, other = told(
        *(StepStarted(A), StepStarted(B), JobSubmitted(A, "j1", None), JobSubmitted(B, "j2", None)),
        *(JobStatusChanged(A, "j1", "Running"), Logged(A, "epoch 1"), JobStatusChanged(B, "j2", "Queued")),
    ).steps
    assert ((one.job, one.status, one.log), (other.job, other.status, other.log)) == (
        ("j1", "Running", ("epoch 1",)),
        ("j2", "Queued", ()),
    )


def test_a_new_job_starts_with_an_empty_log() -> None:
    (view,) = told(StepStarted(A), JobSubmitted(A, "a", None), Logged(A, "old"), JobSubmitted(A, "b", None)).steps
    assert view.log == ()


@given(st.lists(st.text(), max_size=3 * LOG_LINES))
def test_the_log_keeps_its_last_lines_in_order(lines: list[str]) -> None:
    view = told(StepStarted(A), *(Logged(A, line) for line in lines), *(Logged(None, line) for line in lines))
    assert (view.steps[0].log, view.log) == (tuple(lines[-LOG_LINES:]),) * 2
