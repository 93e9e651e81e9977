"""How a run is shown on a terminal, live, and in a CI log, line by line."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from rich import live
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from mlgates.core.pipelines import StageRecord, StageState
from mlgates.core.progress import (
    Event,
    JobStatusChanged,
    JobSubmitted,
    Logged,
    Progress,
    StageEnded,
    StageStarted,
    Step,
    StepFailed,
    StepFinished,
    StepNoted,
    StepStarted,
)

_STAGE_MARKS = {
    StageState.PASSED: "[green]✓[/]",
    StageState.FAILED: "[red]✗[/]",
    StageState.SKIPPED: "[dim]-[/]",
    StageState.WAITING: "[yellow]…[/]",
}
LOG_LINES = 8


class StepState(StrEnum):
    """How far a step is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StepView:
    """One step as it is shown, with the job that it follows."""

    step: Step
    state: StepState
    began: float
    """Seconds of the progress's clock."""
    seconds: float = 0.0
    summary: str = ""
    """Its result, or where it is on the way there."""
    job: str | None = None
    link: str | None = None
    status: str = ""
    log: tuple[str, ...] = ()
    """The last lines of the job's log."""

    @property
    def is_following(self) -> bool:
        """True while its job is under way."""
        return self.job is not None and self.state is StepState.RUNNING


@dataclass(frozen=True, slots=True)
class RunView:
    """All steps so far."""

    steps: tuple[StepView, ...] = ()
    log: tuple[str, ...] = ()
    """The last lines that were written outside of any step."""
    stages: tuple[StageRecord, ...] = ()
    """Of a pipeline, those that have ended; `steps` are those of the stage after them."""
    stage: str | None = None
    """Of a pipeline, the one that runs, with its number."""

    def after(self, event: Event, now: float) -> "RunView":
        """Return what is known after `event`, which came at `now`."""
        match event:
            case StepStarted(step):
                return replace(self, steps=(*self.steps, StepView(step, StepState.RUNNING, now)))
            case StepNoted(step, text):
                return self._changed(step, summary=text)
            case StepFinished(step, seconds, summary):
                return self._changed(step, state=StepState.DONE, seconds=seconds, summary=summary)
            case StepFailed(step, seconds):
                return self._changed(step, state=StepState.FAILED, seconds=seconds, summary="")
            case JobSubmitted() | JobStatusChanged() | Logged():
                return self._followed(event)
            case StageStarted() | StageEnded():
                return self._staged(event)

    def _followed(self, event: JobSubmitted | JobStatusChanged | Logged) -> "RunView":
        match event:
            case JobSubmitted(step, job, link):
                return self._changed(step, job=job, link=link, status="", log=())
            case JobStatusChanged(step, _, status):
                return self._changed(step, status=status)
            case Logged(step, line):
                return self._logged(step, line)

    def _staged(self, event: StageStarted | StageEnded) -> "RunView":
        match event:
            case StageStarted(stage, number, of):
                return RunView(stages=self.stages, stage=f"{stage} ({number} of {of})")
            case StageEnded(stage):
                return RunView(stages=(*self.stages, stage))

    def _logged(self, step: Step | None, line: str) -> "RunView":
        if step is None:
            return replace(self, log=(*self.log, line)[-LOG_LINES:])
        written = next((view.log for view in self.steps if view.step is step), ())
        return self._changed(step, log=(*written, line)[-LOG_LINES:])

    def _changed(self, step: Step, **changes: Any) -> "RunView":
        views = (replace(view, **changes) if view.step is step else view for view in self.steps)
        return replace(self, steps=tuple(views))


_MARKS = {StepState.RUNNING: "[yellow]▶[/]", StepState.DONE: "[green]✓[/]", StepState.FAILED: "[red]✗[/]"}


@contextmanager
def shown(console: Console) -> Iterator[Progress]:
    """Show the events of the progress that is handed out, live on a terminal, else as lines."""
    if not console.is_terminal or console.is_dumb_terminal:
        yield Lines(console)
        return
    picture = Live()
    # Neither stream is redirected: azure-ai-ml's printing is diverted where it is called.
    with live.Live(picture, console=console, refresh_per_second=8, redirect_stdout=False, redirect_stderr=False):
        yield picture


class Lines(Progress):
    """Plain lines, each said once: for CI logs and pipes."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._console = console

    def emit(self, event: Event) -> None:
        """Print what `event` adds; the start of a step and its way say nothing that its end does not."""
        match event:
            case StepStarted() | StepNoted():
                return
            case StepFinished(step, seconds, summary):
                line = f"{step.name}: {summary} ({seconds:.1f} s)"
            case StepFailed(step, seconds):
                line = f"{step.name}: failed ({seconds:.1f} s)"
            case JobSubmitted(_, job, link):
                line = f"job {job}: {link or 'submitted'}"
            case JobStatusChanged(_, job, status):
                line = f"job {job}: {status}"
            case Logged(log_of, text):
                line = f"{_margin(log_of.run_name if log_of else '')}{text}"
            case StageStarted(stage, number, of):
                line = f"== {stage} ({number} of {of})"
            case StageEnded(stage):
                line = f"== {stage.name} {stage.state}: {stage.remark} ({stage.seconds:.1f} s)"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class Live(Progress):
    """A picture of the run that redraws itself: steps with their times, each job's state, the end of its log."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._view = RunView()

    def emit(self, event: Event) -> None:
        """Take `event` into the picture."""
        self._view = self._view.after(event, self.clock())

    def __rich__(self) -> RenderableType:
        return picture(self._view, self.clock())


def picture(run: RunView, now: float) -> RenderableType:
    """Return `run` as rich draws it at `now`."""
    stages = Table.grid(padding=(0, 2))
    for stage in run.stages:
        stages.add_row(f"{_STAGE_MARKS[stage.state]} {stage.name}", f"{stage.seconds:5.1f} s", escape(stage.remark))
    if run.stage:
        stages.add_row(f"{_MARKS[StepState.RUNNING]} {run.stage}", "", "")
    steps = Table.grid(padding=(0, 2))
    for view in run.steps:
        seconds = now - view.began if view.state is StepState.RUNNING else view.seconds
        remark = view.status if view.is_following else view.summary
        steps.add_row(f"{_MARKS[view.state]} {view.step.name}", f"{seconds:5.1f} s", escape(remark))
    following = sum(view.is_following for view in run.steps)
    jobs = [part for view in run.steps for part in _job(view, LOG_LINES // max(following, 1))]
    return Group(stages, steps, *jobs, *_log("", run.log))


def _job(view: StepView, lines: int) -> Iterator[Text]:
    """Yield the job of a step: its page, and while it is under way the last `lines` of its log."""
    if view.link:
        yield Text(f"  {view.link}", style="cyan")
    if view.is_following:
        yield from _log(view.step.run_name, view.log[-lines:])


def _log(run_name: str, lines: Sequence[str]) -> Iterator[Text]:
    for line in lines:
        yield Text(f"{_margin(run_name)}{line}", style="dim", no_wrap=True, overflow="ellipsis")


def _margin(run_name: str) -> str:
    """Return what begins a line of a log: whose it is, when several are written at once."""
    return f"  {run_name} | " if run_name else "  | "
