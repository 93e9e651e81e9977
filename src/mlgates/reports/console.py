"""How a run is shown on a terminal, live, and in a CI log, line by line."""

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from mlgates.core.events import (
    Event,
    JobLogged,
    JobStatusChanged,
    JobSubmitted,
    StageEnded,
    StageStarted,
    StepFailed,
    StepFinished,
    StepProgressed,
    Steps,
    StepStarted,
)
from mlgates.core.pipelines import StageState
from mlgates.reports.progress import Progress, State, StepView

T = TypeVar("T")
_STAGE_MARKS = {
    StageState.PASSED: "[green]✓[/]",
    StageState.FAILED: "[red]✗[/]",
    StageState.SKIPPED: "[dim]-[/]",
    StageState.WAITING: "[yellow]…[/]",
}
FOLLOWED = frozenset({"job", "batch job"})
"""The steps that follow a job; no two of them run at once."""
_MARKS = {State.RUNNING: "[yellow]▶[/]", State.DONE: "[green]✓[/]", State.FAILED: "[red]✗[/]"}


class Listener(Protocol):
    """Anything that wants to be told of events."""

    def tell(self, event: Event) -> None:
        """Take one event."""
        ...


def listen(run: Steps[T], listener: Listener) -> T:
    """Let `run` run to its end, telling `listener` of every event; return its result."""
    while True:
        try:
            event = next(run)
        except StopIteration as end:
            result: T = end.value
            return result
        listener.tell(event)


def show(run: Steps[T], console: Console) -> T:
    """Let `run` run to its end before a person's eyes; return its result."""
    if not console.is_terminal or console.is_dumb_terminal:
        return listen(run, Lines(console))
    view = LiveView()
    # Neither stream is redirected: azure-ai-ml's printing is diverted where it is called.
    with Live(view, console=console, refresh_per_second=8, redirect_stdout=False, redirect_stderr=False):
        return listen(run, view)


class Lines:
    """Plain lines, each said once: for CI logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def tell(self, event: Event) -> None:
        """Print what `event` adds; the start of a step and its way say nothing that its end does not."""
        match event:
            case StepStarted() | StepProgressed():
                return
            case StepFinished(step, seconds, summary):
                line = f"{step}: {summary} ({seconds:.1f} s)"
            case StepFailed(step, seconds):
                line = f"{step}: failed ({seconds:.1f} s)"
            case JobSubmitted(job, link):
                line = f"job {job}: {link or 'submitted'}"
            case JobStatusChanged(job, status):
                line = f"job {job}: {status}"
            case JobLogged(_, text):
                line = f"  | {text}"
            case StageStarted(stage, number, of):
                line = f"== {stage} ({number} of {of})"
            case StageEnded(stage):
                line = f"== {stage.name} {stage.state}: {stage.remark} ({stage.seconds:.1f} s)"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class LiveView:
    """A picture of the run that redraws itself: steps with their times, the job's state, the end of its log."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._progress = Progress()

    def tell(self, event: Event) -> None:
        """Take `event` into the picture."""
        self._progress = self._progress.after(event, self._clock())

    def __rich__(self) -> RenderableType:
        return picture(self._progress, self._clock())


def picture(progress: Progress, now: float) -> RenderableType:
    """Return `progress` as rich draws it at `now`."""
    stages = Table.grid(padding=(0, 2))
    for stage in progress.stages:
        stages.add_row(f"{_STAGE_MARKS[stage.state]} {stage.name}", f"{stage.seconds:5.1f} s", escape(stage.remark))
    if progress.stage:
        stages.add_row(f"{_MARKS[State.RUNNING]} {progress.stage}", "", "")
    steps = Table.grid(padding=(0, 2))
    for step in progress.steps:
        seconds = now - step.began if step.state is State.RUNNING else step.seconds
        steps.add_row(f"{_MARKS[step.state]} {step.name}", f"{seconds:5.1f} s", _remark(step, progress))
    followed = any(_is_followed(step) for step in progress.steps)
    log = [Text(f"  | {line}", style="dim", no_wrap=True, overflow="ellipsis") for line in progress.log if followed]
    link = [Text(f"  {progress.link}", style="cyan")] if progress.link else []
    return Group(stages, steps, *link, *log)


def _remark(step: StepView, progress: Progress) -> str:
    return escape((progress.status or "") if _is_followed(step) else step.summary)


def _is_followed(step: StepView) -> bool:
    return step.name in FOLLOWED and step.state is State.RUNNING
