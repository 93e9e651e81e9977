"""What is known of a run so far, as a value that each fact turns into the next."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from mlgates.core.pipelines import Stage
from mlgates.core.progress import (
    Fact,
    JobStatusChanged,
    JobSubmitted,
    Logged,
    StageEnded,
    StageStarted,
    Step,
    StepFailed,
    StepFinished,
    StepNoted,
    StepStarted,
)

LOG_LINES = 8


class State(StrEnum):
    """How far a step is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StepView:
    """One step, as a person follows it, with the job that it follows."""

    step: Step
    state: State
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
        return self.job is not None and self.state is State.RUNNING


@dataclass(frozen=True, slots=True)
class RunView:
    """All steps so far."""

    steps: tuple[StepView, ...] = ()
    log: tuple[str, ...] = ()
    """The last lines that were written outside of any step."""
    stages: tuple[Stage, ...] = ()
    """Of a pipeline, those that have ended; `steps` are those of the stage after them."""
    stage: str | None = None
    """Of a pipeline, the one that runs, with its number."""

    def after(self, fact: Fact, now: float) -> "RunView":
        """Return what is known once `fact` has been told at `now`."""
        match fact:
            case StepStarted(step):
                return replace(self, steps=(*self.steps, StepView(step, State.RUNNING, now)))
            case StepNoted(step, text):
                return self._changed(step, summary=text)
            case StepFinished(step, seconds, summary):
                return self._changed(step, state=State.DONE, seconds=seconds, summary=summary)
            case StepFailed(step, seconds):
                return self._changed(step, state=State.FAILED, seconds=seconds, summary="")
            case JobSubmitted() | JobStatusChanged() | Logged():
                return self._followed(fact)
            case StageStarted() | StageEnded():
                return self._staged(fact)

    def _followed(self, fact: JobSubmitted | JobStatusChanged | Logged) -> "RunView":
        match fact:
            case JobSubmitted(step, job, link):
                return self._changed(step, job=job, link=link, status="", log=())
            case JobStatusChanged(step, _, status):
                return self._changed(step, status=status)
            case Logged(step, line):
                return self._logged(step, line)

    def _staged(self, fact: StageStarted | StageEnded) -> "RunView":
        match fact:
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
