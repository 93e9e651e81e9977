"""What a run tells while it goes: facts that any listener may show or keep."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from mlgates.core.pipelines import Stage


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A named step has begun."""

    step: str


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step has reached its result."""

    step: str
    seconds: float
    summary: str


@dataclass(frozen=True, slots=True)
class StepFailed:
    """A step has ended without a result; the error that says why follows as an exception."""

    step: str
    seconds: float


@dataclass(frozen=True, slots=True)
class StepProgressed:
    """A step is on its way: where it is, in a word or two."""

    step: str
    remark: str


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A stage of a pipeline has begun; the steps that follow are its own."""

    stage: str
    number: int
    """From 1."""
    of: int


@dataclass(frozen=True, slots=True)
class StageEnded:
    """A stage of a pipeline has ended."""

    stage: Stage


@dataclass(frozen=True, slots=True)
class JobSubmitted:
    """The workspace has accepted a job."""

    job: str
    link: str | None


@dataclass(frozen=True, slots=True)
class JobStatusChanged:
    """A job has moved to another state of Azure ML's sequence."""

    job: str
    status: str


@dataclass(frozen=True, slots=True)
class JobLogged:
    """A job has written a line to its log."""

    job: str
    line: str


Event: TypeAlias = (
    StepStarted
    | StepProgressed
    | StepFinished
    | StepFailed
    | StageStarted
    | StageEnded
    | JobSubmitted
    | JobStatusChanged
    | JobLogged
)

T = TypeVar("T")
Steps: TypeAlias = Generator[Event, None, T]
"""A run: it yields events as they happen and returns its result (`yield from` hands the result on)."""
