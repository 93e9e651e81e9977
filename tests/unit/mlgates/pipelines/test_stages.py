import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.errors import ConfigurationError, JobFailed, MlgatesError, Waits
from mlgates.core.events import Event, StageEnded, StageStarted, Steps
from mlgates.core.pipelines import StageState
from mlgates.core.steps import Result
from mlgates.pipelines.stages import Planned, Ran, Said, run_stages
from mlgates.reports.console import listen

OUTCOMES: dict[str, MlgatesError | None] = {
    "passes": None,
    "fails": JobFailed("it broke\nwith a log"),
    "waits": Waits("for Ann"),
}
plans = st.lists(st.sampled_from(sorted(OUTCOMES)), min_size=1, max_size=6)


class Recorder:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def tell(self, event: Event) -> None:
        self.events.append(event)


def planned(name: str, outcome: str) -> Planned:
    def run() -> Steps[Result]:
        yield from ()
        if error := OUTCOMES[outcome]:
            raise error
        return Said(f"{name} is done")

    return Planned(name, run)


def ran(outcomes: list[str], heard: Recorder | None = None, until: str | None = None) -> Ran:
    plan = [planned(str(number), outcome) for number, outcome in enumerate(outcomes)]
    ticks = itertools.count()
    return listen(run_stages(plan, until=until, clock=lambda: float(next(ticks))), heard or Recorder())


@given(plans)
def test_every_stage_has_a_state_in_the_order_of_the_plan(outcomes: list[str]) -> None:
    assert [stage.name for stage in ran(outcomes).stages] == [str(number) for number in range(len(outcomes))]


@given(plans)
def test_nothing_runs_after_the_first_that_does_not_pass(outcomes: list[str]) -> None:
    stopped = next((place for place, outcome in enumerate(outcomes) if outcome != "passes"), len(outcomes))
    states = [stage.state for stage in ran(outcomes).stages]
    assert states[:stopped] == [StageState.PASSED] * stopped
    assert states[stopped + 1 :] == [StageState.SKIPPED] * (len(outcomes) - stopped - 1)


@given(plans)
def test_the_error_that_stopped_it_is_handed_back(outcomes: list[str]) -> None:
    first = next((OUTCOMES[outcome] for outcome in outcomes if outcome != "passes"), None)
    assert ran(outcomes).error is first


@pytest.mark.parametrize(
    ("outcome", "state", "remark"),
    [
        ("passes", StageState.PASSED, "0 is done"),
        ("fails", StageState.FAILED, "it broke"),
        ("waits", StageState.WAITING, "for Ann"),
    ],
)
def test_a_stage_says_on_one_line_how_it_ended(outcome: str, state: StageState, remark: str) -> None:
    (stage,) = ran([outcome]).stages
    assert (stage.state, stage.remark, stage.seconds) == (state, remark, 1.0)


def test_what_was_not_reached_says_why() -> None:
    assert ran(["waits", "passes"]).stages[1].remark == "not reached: 0 waiting"


def test_a_run_may_end_before_the_last_stage() -> None:
    result = ran(["passes", "passes", "passes"], until="1")
    assert [stage.state for stage in result.stages] == [StageState.PASSED, StageState.PASSED, StageState.SKIPPED]
    assert (result.error, result.stages[2].remark) == (None, "not asked for: the run ends with 1")


def test_a_stage_that_is_not_there_cannot_be_the_last() -> None:
    with pytest.raises(ConfigurationError, match="--until train: there is no such stage"):
        ran(["passes"], until="train")


@given(plans)
def test_each_stage_is_told_when_it_ends_and_those_that_run_when_they_start(outcomes: list[str]) -> None:
    heard = Recorder()
    stages = ran(outcomes, heard).stages
    assert [event.stage for event in heard.events if isinstance(event, StageEnded)] == list(stages)
    started = [event.stage for event in heard.events if isinstance(event, StageStarted)]
    assert started == [stage.name for stage in stages if stage.state is not StageState.SKIPPED]


def test_a_fault_of_our_own_is_not_taken_for_a_stage_that_failed() -> None:
    def broken() -> Steps[Result]:
        yield from ()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        listen(run_stages([Planned("a", broken)]), Recorder())
