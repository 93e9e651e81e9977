"""How a run reports while it goes: it opens named steps on the `Progress` that it is handed, and returns its value.

A function that works for a while takes `progress`, one that does a part of somebody's step takes that `step`. What is
emitted are events, each about a step by the object itself: two steps of the same name are never taken for each other.
Independent runs go on side by side, a thread each, their events passed on by the caller's.
"""

import queue
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeAlias, TypeVar

from mlgates.core.errors import MlgatesError
from mlgates.core.pipelines import StageRecord

T = TypeVar("T")


class Result(Protocol):
    """What a step may return: anything that can say itself in one phrase."""

    @property
    def summary(self) -> str:
        """One phrase to print."""
        ...


R = TypeVar("R", bound=Result)
F = TypeVar("F", bound="Event")


class Progress(ABC):
    """Is handed down to whatever reports. A subclass says in `emit` what becomes of an event."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, run_name: str = "") -> None:
        self.clock = clock
        """Counts seconds."""
        self.run_name = run_name
        """Which of several that run side by side this is; empty for one that runs alone."""

    @abstractmethod
    def emit(self, event: "Event") -> None:
        """Take one event. What is raised here ends the run: so a test kills one."""

    @contextmanager
    def step(self, name: str) -> "Iterator[Step]":
        """Open the step `name`; its end, or its failure by an `MlgatesError`, is emitted when the block is left."""
        step, began = Step(name, self), self.clock()
        self.emit(StepStarted(step))
        try:
            yield step
        except MlgatesError:
            self.emit(StepFailed(step, self.clock() - began))
            raise
        self.emit(StepFinished(step, self.clock() - began, step.summary))

    def run(self, name: str, work: Callable[[], R]) -> R:
        """Return the result of `work`, run as the step `name`."""
        with self.step(name) as step:
            return step.done(work())

    def log(self, line: str) -> None:
        """Report a line that is written outside of any step, as by a suite of tests."""
        self.emit(Logged(None, line))


class Step:
    """A step under way."""

    def __init__(self, name: str, progress: Progress) -> None:
        self.name = name
        self.summary = ""
        """Its result in one phrase, once there is one."""
        self._progress = progress
        self._job = ""

    @property
    def run_name(self) -> str:
        """Which of several runs side by side it belongs to; empty for one that runs alone."""
        return self._progress.run_name

    @property
    def inner(self) -> Progress:
        """The progress of what is only a part of this step: what its steps note and follow is reported of this one."""
        return _Inner(self, self._progress)

    def note(self, text: str) -> None:
        """Report where the step is, in a word or two."""
        self._progress.emit(StepNoted(self, text))

    def job(self, name: str, link: str | None) -> None:
        """Report which job of the workspace the step follows."""
        self._job = name
        self._progress.emit(JobSubmitted(self, name, link))

    def status(self, status: str) -> None:
        """Report that the job has moved to another state of Azure ML's sequence."""
        self._progress.emit(JobStatusChanged(self, self._job, status))

    def log(self, line: str) -> None:
        """Report a line that the job has written to its log."""
        self._progress.emit(Logged(self, line))

    def done(self, result: R) -> R:
        """Keep the result's summary for the end of the step, and return the result."""
        self.summary = result.summary
        return result


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step has begun."""

    step: Step


@dataclass(frozen=True, slots=True)
class StepNoted:
    """A step is on its way: where it is, in a word or two."""

    step: Step
    text: str


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step has reached its result."""

    step: Step
    seconds: float
    summary: str


@dataclass(frozen=True, slots=True)
class StepFailed:
    """A step has ended without a result; the error that says why follows as an exception."""

    step: Step
    seconds: float


@dataclass(frozen=True, slots=True)
class JobSubmitted:
    """The workspace has accepted the job that a step follows."""

    step: Step
    job: str
    link: str | None


@dataclass(frozen=True, slots=True)
class JobStatusChanged:
    """A job has moved to another state."""

    step: Step
    job: str
    status: str


@dataclass(frozen=True, slots=True)
class Logged:
    """A line was written to a log."""

    step: Step | None
    """The step whose job wrote it; None outside of any step."""
    line: str


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

    stage: StageRecord


Event: TypeAlias = (
    StepStarted
    | StepNoted
    | StepFinished
    | StepFailed
    | JobSubmitted
    | JobStatusChanged
    | Logged
    | StageStarted
    | StageEnded
)


class Silent(Progress):
    """Drops all events."""

    def emit(self, event: Event) -> None:
        """Drop `event`."""


class Record(Progress):
    """Keeps all events, in the order in which they were emitted."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        """Keep `event`."""
        self.events.append(event)

    def of(self, kind: type[F]) -> list[F]:
        """Return the events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


class _Inner(Progress):
    """Passes on what is emitted within a step, as events of the step around it."""

    def __init__(self, outer: Step, progress: Progress) -> None:
        super().__init__(progress.clock, run_name=progress.run_name)
        self._outer = outer
        self._progress = progress

    def emit(self, event: Event) -> None:
        match event:
            case StepNoted() | JobSubmitted() | JobStatusChanged() | Logged():
                self._progress.emit(replace(event, step=self._outer))
            case _:
                pass  # its own steps begin and end within the one around them


Run: TypeAlias = Callable[[Progress], T]


def side_by_side(runs: Mapping[str, Run[T]], *, progress: Progress) -> dict[str, T]:
    """Let `runs` go on at the same time, each with its own progress; return each run's result by its name.

    Their events arrive at `progress` in this thread, which needs no lock. When one fails the others still come to
    their end, so that nothing is left half done. Then its error is raised; of several, one that lists them all, with
    the exit code of the first.
    """
    events: queue.SimpleQueue[Event | _Ended[T]] = queue.SimpleQueue()
    for name, run in runs.items():
        own = _Own(events.put, progress, name if len(runs) > 1 else progress.run_name)
        # Daemons: Ctrl-C must end the program although an operation, on the workspace's side, goes on.
        threading.Thread(target=_drive, args=(name, run, own, events.put), name=name, daemon=True).start()
    ended: dict[str, _Ended[T]] = {}
    while len(ended) < len(runs):
        item = events.get()
        if isinstance(item, _Ended):
            ended[item.name] = item
        else:
            progress.emit(item)
    errors = [error for name in runs if (error := ended[name].error) is not None]
    if errors:
        raise _joined(errors)
    return {name: ended[name].result[0] for name in runs}


class _Own(Progress):
    """The progress of one run: hands its events over to the thread that waits for all."""

    def __init__(self, hand_over: Callable[[Event], object], progress: Progress, run_name: str) -> None:
        super().__init__(progress.clock, run_name=run_name)
        self._hand_over = hand_over

    def emit(self, event: Event) -> None:
        self._hand_over(event)


class _Ended(Generic[T]):
    """The end of a run: its result, as the only member of a tuple, or its error."""

    def __init__(self, name: str, result: tuple[T, ...], error: BaseException | None = None) -> None:
        self.name = name
        self.result = result
        self.error = error


def _drive(name: str, run: Run[T], own: Progress, end: "Callable[[_Ended[T]], object]") -> None:
    try:
        result = run(own)
    except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
        end(_Ended(name, (), error))
    else:
        end(_Ended(name, (result,)))


def _joined(errors: list[BaseException]) -> BaseException:
    first, *others = errors
    if not others or not all(isinstance(error, MlgatesError) for error in errors):
        return first
    joined = type(first)("\n".join(str(error) for error in errors))
    joined.__cause__ = first
    return joined
