"""How a run is shown: what is known of it so far, live on a terminal, line by line in a log."""

import io
import threading
from collections.abc import Callable
from functools import partial, reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from mlgates.core.errors import AssetMissing, JobFailed
from mlgates.core.pipelines import StageRecord, StageState
from mlgates.core.progress import (
    Event,
    JobStatusChanged,
    JobSubmitted,
    Logged,
    Progress,
    Silent,
    StageEnded,
    StageStarted,
    Step,
    StepFailed,
    StepFinished,
    StepNoted,
    StepStarted,
    side_by_side,
)
from mlgates.core.values import Job
from mlgates.reports.console import LOG_LINES, Lines, Live, RunView, StepState, shown

PASSED = StageRecord(name="train", state=StageState.PASSED, started="2026-01-01", seconds=2.0, remark="j1 [Completed]")


def data(progress: Progress) -> None:
    with progress.step("data") as step:
        step.summary = "d:1 registered [sic]"


def job(progress: Progress, *ends: Callable[[Step], object], log: str = "epoch [1/3]") -> None:
    """Follow a job, then do what `ends` it."""
    with progress.step("job") as step:
        step.job("j1", "https://look/j1")
        step.status("Running")
        step.log(log)
        for end in ends:
            end(step)


def fails(_: Step) -> None:
    raise JobFailed("no")


def terminal(width: int = 80) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def lines_of(*runs: Callable[[Progress], object]) -> list[str]:
    """What a pipe gets."""
    console = Console(file=io.StringIO(), width=20)
    progress = Lines(console, clock=lambda: 0.0)
    for run in runs:
        run(progress)
    return printed(console).splitlines()


def drawn(*runs: Callable[[Progress], object]) -> str:
    """The picture at the end."""
    view = Live(clock=lambda: 0.0)
    for run in runs:
        run(view)
    return picture_of(view)


def picture_of(view: Live) -> str:
    console = terminal()
    console.print(view)
    return printed(console)


def during() -> str:
    """The picture while the job is followed."""
    view, seen = Live(clock=lambda: 0.0), list[str]()
    data(view)
    job(view, lambda _: seen.append(picture_of(view)))
    return seen[0]


def failing(progress: Progress) -> None:
    with pytest.raises(JobFailed):
        job(progress, fails)


def test_a_pipe_gets_plain_lines_each_said_once() -> None:
    assert lines_of(data, failing) == [
        "data: d:1 registered [sic] (0.0 s)",
        "job j1: https://look/j1",
        "job j1: Running",
        "  | epoch [1/3]",
        "job: failed (0.0 s)",
    ]


def test_a_console_that_is_no_terminal_gets_lines() -> None:
    console = Console(file=io.StringIO(), width=20)
    with shown(console) as progress:
        progress.log("1 passed")
    assert printed(console) == "  | 1 passed\n"


def test_a_step_takes_the_time_of_the_clock() -> None:
    console, ticks = Console(file=io.StringIO()), iter([0.0, 1.25])
    data(Lines(console, clock=lambda: next(ticks)))
    assert printed(console) == "data: d:1 registered [sic] (1.2 s)\n"


def test_a_job_without_a_page_is_still_reported() -> None:
    def unseen(progress: Progress) -> None:
        with progress.step("job") as step:
            step.job("j1", None)

    assert lines_of(unseen)[0] == "job j1: submitted"


def test_a_terminal_sees_the_last_picture() -> None:
    console = terminal()
    with shown(console) as progress:
        job(progress)
    assert "https://look/j1" in printed(console)


def test_an_error_passes_through_the_live_display() -> None:
    with pytest.raises(AssetMissing), shown(terminal()) as progress, progress.step("data"):
        raise AssetMissing("no data")


@pytest.mark.parametrize("part", ["✓ data", "d:1 registered [sic]", "▶ job", "Running", "https://look/j1", "[1/3]"])
def test_the_picture_shows_steps_state_link_and_log(part: str) -> None:
    assert part in during()


def test_the_log_leaves_the_picture_when_the_job_is_done() -> None:
    picture = drawn(lambda progress: job(progress, lambda step: step.done(Job("j1", "e", "Completed", None))))
    assert ["epoch" in picture, "Running" in picture, "Completed" in picture] == [False, False, True]


def test_a_failed_step_is_marked() -> None:
    assert "✗ job" in drawn(failing)


def test_a_long_log_line_is_cut_not_wrapped() -> None:
    view, seen = Live(clock=lambda: 0.0), list[str]()
    job(view, lambda _: seen.append(picture_of(view)), log="x" * 500)
    lines = seen[0].splitlines()
    assert max(map(len, lines)) <= 80
    assert sum("xxx" in line for line in lines) == 1


def test_before_the_first_fact_there_is_nothing_to_see() -> None:
    assert drawn().strip() == ""


def train_stage(progress: Progress) -> None:
    progress.emit(StageStarted("train", 1, 3))
    job(progress, log="epoch 1")
    progress.log("1 passed")
    progress.emit(StageEnded(PASSED))
    progress.emit(StageStarted("approval", 2, 3))


def test_a_stage_that_ended_is_a_line_and_its_steps_are_gone() -> None:
    picture = drawn(train_stage)
    assert ["train" in picture, "j1 [Completed]" in picture, "epoch 1" in picture, "1 passed" in picture] == [
        True, True, False, False,
    ]  # fmt: skip


def test_the_stage_that_runs_says_how_many_there_are() -> None:
    assert "approval (2 of 3)" in drawn(train_stage)


def test_the_last_lines_of_a_suite_are_seen_while_it_runs() -> None:
    assert "  | 1 passed" in drawn(lambda progress: progress.log("1 passed"))


def test_in_a_ci_log_a_stage_is_told_when_it_starts_and_when_it_ends() -> None:
    lines = lines_of(train_stage)
    assert lines[0] == "== train (1 of 3)"
    assert "== train passed: j1 [Completed] (2.0 s)" in lines


def two_jobs(progress: Progress) -> None:
    """Follow two jobs that are under way at once."""
    met = threading.Barrier(2, timeout=10)

    def follow(name: str, status: str, progress: Progress) -> Job:
        with progress.step(f"{name} job") as step:
            step.job(name, f"https://look/{name}")
            step.status(status)
            step.log(f"{name} starts")
            met.wait()
            return step.done(Job(name, "e", "Completed", None))

    runs = {"first": partial(follow, "first", "Running"), "second": partial(follow, "second", "Queued")}
    side_by_side(runs, progress=progress)


class Filmed(Live):
    """Keeps the picture that was there before the first step ended."""

    seen = ""

    def emit(self, event: Event) -> None:
        if isinstance(event, StepFinished) and not self.seen:
            self.seen = picture_of(self)
        super().emit(event)


def test_each_of_two_jobs_that_are_followed_at_once_shows_its_own_state_page_and_log() -> None:
    view = Filmed(clock=lambda: 0.0)
    two_jobs(view)
    rows = [" ".join(line.split()) for line in view.seen.splitlines()]
    assert {"▶ first job 0.0 s Running", "▶ second job 0.0 s Queued"} <= set(rows)
    for name in ("first", "second"):
        page = rows.index(f"https://look/{name}")
        assert rows[page + 1] == f"{name} | {name} starts"


def test_in_a_ci_log_each_line_says_which_of_several_wrote_it() -> None:
    lines = lines_of(two_jobs)
    assert {"  first | first starts", "  second | second starts", "job second: Queued"} <= set(lines)


A, B = Step("a", Silent()), Step("b", Silent())


def view_after(*events: Event) -> RunView:
    return reduce(lambda view, event: view.after(event, now=5.0), events, RunView())


def test_a_step_that_started_is_running_since_then() -> None:
    (view,) = view_after(StepStarted(A)).steps
    assert (view.step, view.state, view.began) == (A, StepState.RUNNING, 5.0)


def test_a_step_that_finished_keeps_its_summary() -> None:
    (view,) = view_after(StepStarted(A), StepFinished(A, 1.5, "d:1 registered")).steps
    assert (view.state, view.seconds, view.summary) == (StepState.DONE, 1.5, "d:1 registered")


def test_the_end_of_a_step_leaves_earlier_ones_alone() -> None:
    steps = view_after(StepStarted(A), StepFinished(A, 1.0, ""), StepStarted(B), StepFailed(B, 1.0)).steps
    assert [view.state for view in steps] == [StepState.DONE, StepState.FAILED]


def test_steps_may_run_side_by_side() -> None:
    steps = view_after(StepStarted(A), StepStarted(B), StepFinished(A, 1.0, "done"), StepNoted(B, "half")).steps
    assert [(view.state, view.summary) for view in steps] == [(StepState.DONE, "done"), (StepState.RUNNING, "half")]


def test_a_step_that_runs_again_is_a_step_of_its_own() -> None:
    again = Step("a", Silent())
    steps = view_after(StepStarted(A), StepFinished(A, 1.0, "first"), StepStarted(again), StepFailed(again, 2.0)).steps
    assert [view.state for view in steps] == [StepState.DONE, StepState.FAILED]


def test_two_steps_of_one_name_that_run_at_once_are_kept_apart() -> None:
    same = Step("a", Silent())
    steps = view_after(StepStarted(A), StepStarted(same), StepNoted(A, "first"), StepNoted(same, "second")).steps
    assert [view.summary for view in steps] == ["first", "second"]


def test_a_job_is_known_by_its_link_and_its_last_state() -> None:
    (view,) = view_after(
        StepStarted(A),
        JobSubmitted(A, "j", "https://look"),
        JobStatusChanged(A, "j", "Queued"),
        JobStatusChanged(A, "j", "Running"),
    ).steps
    assert (view.job, view.link, view.status) == ("j", "https://look", "Running")


def test_two_jobs_that_are_followed_at_once_each_keep_their_state_and_log() -> None:
    one, other = view_after(
        *(StepStarted(A), StepStarted(B), JobSubmitted(A, "j1", None), JobSubmitted(B, "j2", None)),
        *(JobStatusChanged(A, "j1", "Running"), Logged(A, "epoch 1"), JobStatusChanged(B, "j2", "Queued")),
    ).steps
    assert ((one.job, one.status, one.log), (other.job, other.status, other.log)) == (
        ("j1", "Running", ("epoch 1",)),
        ("j2", "Queued", ()),
    )


def test_a_new_job_starts_with_an_empty_log() -> None:
    (view,) = view_after(StepStarted(A), JobSubmitted(A, "a", None), Logged(A, "old"), JobSubmitted(A, "b", None)).steps
    assert view.log == ()


@given(st.lists(st.text(), max_size=3 * LOG_LINES))
def test_the_log_keeps_its_last_lines_in_order(lines: list[str]) -> None:
    view = view_after(StepStarted(A), *(Logged(A, line) for line in lines), *(Logged(None, line) for line in lines))
    assert (view.steps[0].log, view.log) == (tuple(lines[-LOG_LINES:]),) * 2
