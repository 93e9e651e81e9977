import io
from collections.abc import Sequence

import pytest
from rich.console import Console

from mlgates.core.errors import AssetMissing
from mlgates.core.events import (
    Event,
    JobLogged,
    JobStatusChanged,
    JobSubmitted,
    StageEnded,
    StageStarted,
    StepFailed,
    StepFinished,
    Steps,
    StepStarted,
)
from mlgates.core.pipelines import Stage, StageState
from mlgates.reports.console import LiveView, show

RUN: Sequence[Event] = (
    StepStarted("data"),
    StepFinished("data", 0.25, "d:1 registered [sic]"),
    JobSubmitted("j1", "https://look/j1"),
    StepStarted("job"),
    JobStatusChanged("j1", "Running"),
    JobLogged("j1", "epoch [1/3]"),
)


def run(*events: Event) -> Steps[str]:
    yield from events
    return "result"


def terminal(width: int = 80) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def drawn(*events: Event) -> str:
    view = LiveView(clock=lambda: 0.0)
    for event in events:
        view.tell(event)
    console = terminal()
    console.print(view)
    return printed(console)


def test_the_result_of_the_run_is_handed_on() -> None:
    assert show(run(*RUN), Console(file=io.StringIO())) == "result"


def test_a_pipe_gets_plain_lines_each_said_once() -> None:
    console = Console(file=io.StringIO(), width=20)
    show(run(*RUN, StepFailed("job", 2.0)), console)
    assert printed(console).splitlines() == [
        "data: d:1 registered [sic] (0.2 s)",
        "job j1: https://look/j1",
        "job j1: Running",
        "  | epoch [1/3]",
        "job: failed (2.0 s)",
    ]


def test_a_job_without_a_page_is_still_told() -> None:
    console = Console(file=io.StringIO())
    show(run(JobSubmitted("j1", None)), console)
    assert printed(console) == "job j1: submitted\n"


def test_a_terminal_sees_the_last_picture() -> None:
    console = terminal()
    show(run(*RUN), console)
    assert "epoch [1/3]" in printed(console)


def test_an_error_passes_through_the_live_display() -> None:
    def failing() -> Steps[str]:
        yield StepStarted("data")
        raise AssetMissing("no data")

    with pytest.raises(AssetMissing):
        show(failing(), terminal())


@pytest.mark.parametrize("part", ["✓ data", "d:1 registered [sic]", "▶ job", "Running", "https://look/j1", "[1/3]"])
def test_the_picture_shows_steps_state_link_and_log(part: str) -> None:
    assert part in drawn(*RUN)


def test_the_log_leaves_the_picture_when_the_job_is_done() -> None:
    assert "epoch" not in drawn(*RUN, StepFinished("job", 9.0, "j1 Completed"))


def test_a_failed_step_is_marked() -> None:
    assert "✗ job" in drawn(*RUN, StepFailed("job", 1.0))


def test_a_long_log_line_is_cut_not_wrapped() -> None:
    lines = drawn(*RUN, JobLogged("j1", "x" * 500)).splitlines()
    assert max(map(len, lines)) <= 80
    assert sum("xxx" in line for line in lines) == 1


def test_before_the_first_event_there_is_nothing_to_see() -> None:
    assert drawn().strip() == ""


STAGES: Sequence[Event] = (
    StageStarted("train", 1, 3),
    StepStarted("job"),
    JobLogged("j1", "epoch 1"),
    StageEnded(
        Stage(name="train", state=StageState.PASSED, started="2026-01-01", seconds=2.0, remark="j1 [Completed]")
    ),
    StageStarted("approval", 2, 3),
)


def test_a_stage_that_ended_is_a_line_and_its_steps_are_gone() -> None:
    picture = drawn(*STAGES)
    assert ["train" in picture, "j1 [Completed]" in picture, "epoch 1" in picture] == [True, True, False]


def test_the_stage_that_runs_says_how_many_there_are() -> None:
    assert "approval (2 of 3)" in drawn(*STAGES)


def test_in_a_ci_log_a_stage_is_told_when_it_starts_and_when_it_ends() -> None:
    console = Console(file=io.StringIO(), width=80)
    show(run(*STAGES), console)
    lines = printed(console).splitlines()
    assert lines[0] == "== train (1 of 3)"
    assert "== train passed: j1 [Completed] (2.0 s)" in lines
