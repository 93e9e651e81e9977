"""How a named step is run: its start, its end and its duration become events."""

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from mlgates.core.errors import MlgatesError
from mlgates.core.events import StepFailed, StepFinished, Steps, StepStarted


class Result(Protocol):
    """What a step may return: anything that can say itself in one phrase."""

    @property
    def summary(self) -> str:
        """One phrase for a person."""
        ...


R = TypeVar("R", bound=Result)
T = TypeVar("T")


def step(name: str, work: Callable[[], R], *, clock: Callable[[], float] = time.monotonic) -> Steps[R]:
    """Run `work` as the step `name`; `clock` counts seconds. Whatever `work` raises passes through."""
    return watched(name, _silent(work), clock=clock)


def watched(name: str, work: Steps[R], *, clock: Callable[[], float] = time.monotonic) -> Steps[R]:
    """Run `work`, which has events of its own to tell, as the step `name`."""
    began = clock()
    yield StepStarted(name)
    try:
        result = yield from work
    except MlgatesError:
        yield StepFailed(name, clock() - began)
        raise
    yield StepFinished(name, clock() - began, result.summary)
    return result


def _silent(work: Callable[[], R]) -> Steps[R]:
    yield from ()  # no events of its own
    return work()


def to_the_end(run: Steps[T]) -> T:
    """Let `run` run to its end, told to nobody; return its result."""
    while True:
        try:
            next(run)
        except StopIteration as end:
            result: T = end.value
            return result
