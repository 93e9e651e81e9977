from collections.abc import Iterator
from itertools import count

import pytest

from mlgates.core.errors import AssetMissing
from mlgates.core.events import Event, JobLogged, StepFailed, StepFinished, Steps, StepStarted
from mlgates.core.steps import step, watched
from mlgates.core.values import AssetVersion

MODEL = AssetVersion("m", "1", created=True)


def ticking() -> Iterator[float]:
    return map(float, count(start=0, step=2))


def events_and_result(run: Steps[AssetVersion]) -> tuple[list[Event], AssetVersion]:
    events: list[Event] = []
    while True:
        try:
            events.append(next(run))
        except StopIteration as end:
            return events, end.value


def test_a_step_tells_its_start_its_duration_and_its_result() -> None:
    ticks = ticking()
    events, result = events_and_result(step("model", lambda: MODEL, clock=lambda: next(ticks)))
    assert result is MODEL
    assert events == [StepStarted("model"), StepFinished("model", 2.0, "m:1 registered")]


def test_the_events_of_the_work_come_between() -> None:
    def work() -> Steps[AssetVersion]:
        yield JobLogged("j", "hello")
        return MODEL

    events, _ = events_and_result(watched("job", work()))
    assert [type(event) for event in events] == [StepStarted, JobLogged, StepFinished]


def test_a_failed_step_says_so_and_lets_the_error_through() -> None:
    def refuse() -> AssetVersion:
        raise AssetMissing("no data")

    run = step("data", refuse)
    assert next(run) == StepStarted("data")
    assert isinstance(next(run), StepFailed)
    with pytest.raises(AssetMissing, match="no data"):
        next(run)
