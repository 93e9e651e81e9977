import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.errors import ConfigurationError, JobFailed, MlgatesError, PendingApproval
from mlgates.core.pipelines import StageState
from mlgates.core.progress import Progress, Record, Result, Silent, StageEnded, StageStarted
from mlgates.pipelines.pipeline_run import PipelineResult, Stage, Summary, run_stages

OUTCOMES: dict[str, MlgatesError | None] = {
    "passes": None,
    "fails": JobFailed("it broke\nwith a log"),
    "waits": PendingApproval("for Ann"),
}
plans = st.lists(st.sampled_from(sorted(OUTCOMES)), min_size=1, max_size=6)


def planned(name: str, outcome: str) -> Stage:
    def run(*, progress: Progress) -> Result:
        if error := OUTCOMES[outcome]:
            raise error
        return Summary(f"{name} is done")

    return Stage(name, run)


def recorded(outcomes: list[str], until: str | None = None) -> tuple[Record, PipelineResult]:
    plan = [planned(str(number), outcome) for number, outcome in enumerate(outcomes)]
    ticks = itertools.count()
    record = Record(clock=lambda: float(next(ticks)))
    return record, run_stages(plan, until=until, progress=record)


def ran(outcomes: list[str], until: str | None = None) -> PipelineResult:
    return recorded(outcomes, until)[1]


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
    record, result = recorded(outcomes)
    assert [fact.stage for fact in record.of(StageEnded)] == list(result.stages)
    begun = [stage.name for stage in result.stages if stage.state is not StageState.SKIPPED]
    assert [fact.stage for fact in record.of(StageStarted)] == begun


def test_a_fault_of_our_own_is_not_taken_for_a_stage_that_failed() -> None:
    def broken(*, progress: Progress) -> Result:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_stages([Stage("a", broken)], progress=Silent())
