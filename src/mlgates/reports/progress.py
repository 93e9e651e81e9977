"""What is known of a run so far, as a value that each event turns into the next."""

from dataclasses import dataclass, replace
from enum import StrEnum

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
    StepStarted,
)
from mlgates.core.pipelines import Stage

LOG_LINES = 8


class State(StrEnum):
    """How far a step is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StepView:
    """One step, as a person follows it."""

    name: str
    state: State
    began: float
    """Seconds of the listener's own clock."""
    seconds: float = 0.0
    summary: str = ""
    """Its result, or where it is on the way there."""


@dataclass(frozen=True, slots=True)
class Progress:
    """All steps so far, and the job that is being followed."""

    steps: tuple[StepView, ...] = ()
    job: str | None = None
    link: str | None = None
    status: str | None = None
    log: tuple[str, ...] = ()
    """The last lines of the job's log."""
    stages: tuple[Stage, ...] = ()
    """Of a pipeline, those that have ended; `steps` are those of the stage after them."""
    stage: str | None = None
    """Of a pipeline, the one that runs, with its number."""

    def after(self, event: Event, now: float) -> "Progress":
        """Return what is known once `event` has been told at `now`."""
        match event:
            case StepStarted(step):
                return replace(self, steps=(*self.steps, StepView(step, State.RUNNING, now)))
            case StepProgressed(step, remark):
                return self._changed(step, State.RUNNING, 0.0, remark)
            case StepFinished(step, seconds, summary):
                return self._changed(step, State.DONE, seconds, summary)
            case StepFailed(step, seconds):
                return self._changed(step, State.FAILED, seconds, "")
            case StageStarted() | StageEnded():
                return self._staged(event)
            case JobSubmitted() | JobStatusChanged() | JobLogged():
                return self._followed(event)

    def _staged(self, event: StageStarted | StageEnded) -> "Progress":
        match event:
            case StageStarted(stage, number, of):
                return Progress(stages=self.stages, stage=f"{stage} ({number} of {of})")
            case StageEnded(stage):
                return Progress(stages=(*self.stages, stage))

    def _followed(self, event: JobSubmitted | JobStatusChanged | JobLogged) -> "Progress":
        match event:
            case JobSubmitted(job, link):
                return replace(self, job=job, link=link, status=None, log=())
            case JobStatusChanged(_, status):
                return replace(self, status=status)
            case JobLogged(_, line):
                return replace(self, log=(*self.log, line)[-LOG_LINES:])

    def _changed(self, name: str, state: State, seconds: float, summary: str) -> "Progress":
        # Steps may run side by side, each under a name of its own; a name that came before has ended.
        place = max(place for place, step in enumerate(self.steps) if step.name == name)
        step = replace(self.steps[place], state=state, seconds=seconds, summary=summary)
        return replace(self, steps=(*self.steps[:place], step, *self.steps[place + 1 :]))
