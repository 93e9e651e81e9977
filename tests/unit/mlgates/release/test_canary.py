import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.progress import Record, Silent, Step, StepNoted
from mlgates.release import canary
from mlgates.release.canary import CanaryState, CanaryVerdict, StepPhase, WatchPlan, WatchResult, judge, watch
from mlgates.release.canary_statistics import Observation, total
from mlgates.release.release_file import LEAST, CanaryLimits

STAGE = StepPhase(share=10, new="green", last=False, over=True)
LAST = replace(STAGE, share=100, last=True)
GOOD = Observation(requests=1, requests_beside=1, pairs=((5.0, 5.0),), predictions=2, squares=4)
FAILED = Observation(requests=1, errors=1, requests_beside=1)
FAILED_BESIDE = Observation(requests=1, requests_beside=1, errors_beside=1, alone=(5.0,))
SHARED = Observation(shared=1)
OTHER = replace(GOOD, different=2)
LENIENT = CanaryLimits(max_error_rate=1.0)


def seen(*parts: tuple[Observation, int]) -> Observation:
    return total(part for part, count in parts for _ in range(count))


def verdict(step: Observation, limits: CanaryLimits, stage: StepPhase = STAGE) -> CanaryVerdict:
    return judge(step, step, limits, stage)


@given(st.integers(0, LEAST - 1), st.booleans())
def test_there_is_no_verdict_before_enough_answers_of_both(count: int, last: bool) -> None:
    found = verdict(seen((GOOD, count)), LENIENT, replace(STAGE, last=last))
    assert found.state is CanaryState.OPEN
    assert f"{count} requests were answered by both versions, 50 are needed" in found.reasons[0]


@given(st.integers(1, LEAST))
def test_fewer_than_fifty_cannot_be_declared(requests: int) -> None:
    assert CanaryLimits(requests=requests).least == LEAST


def test_enough_good_answers_keep_all_limits() -> None:
    limits = CanaryLimits(max_median_ms=10, max_slowdown=1.5, max_difference=0.1)
    assert verdict(seen((GOOD, LEAST)), limits, LAST) == CanaryVerdict(CanaryState.KEPT)


def test_without_tolerance_the_first_failure_breaks_the_limit() -> None:
    assert verdict(FAILED, CanaryLimits()).reasons[0].startswith("1 of 1 requests failed, at most 0.00% may")


@given(st.integers(1, 300))
def test_one_failure_under_a_limit_of_two_percent_is_never_a_broken_limit(place: int) -> None:
    assert (
        verdict(seen((GOOD, place - 1), (FAILED, 1)), CanaryLimits(max_error_rate=0.02)).state is not CanaryState.BROKEN
    )


@pytest.mark.parametrize("failures", [3, 10, 50])
def test_a_version_that_fails_at_every_request_is_found_out_at_once(failures: int) -> None:
    assert verdict(seen((FAILED, failures)), CanaryLimits(max_error_rate=0.02)).state is CanaryState.BROKEN


def test_more_failures_than_allowed_that_may_be_chance_are_no_verdict() -> None:
    found = verdict(seen((GOOD, LEAST), (FAILED, 2)), CanaryLimits(max_error_rate=0.02))
    assert found.state is CanaryState.OPEN
    assert "2 of 52 requests failed, at most 2.00% may (99 % sure: 0.0% to 21.7%)" in found.reasons


def test_twice_the_failures_must_be_excluded_before_a_release_ends() -> None:
    limits = CanaryLimits(max_error_rate=0.02)
    few, many = seen((GOOD, 100)), seen((GOOD, 300))
    assert [judge(few, whole, limits, LAST).state for whole in (few, many)] == [CanaryState.OPEN, CanaryState.KEPT]
    assert judge(few, few, limits, STAGE).state is CanaryState.KEPT


def test_evidence_of_the_steps_before_counts() -> None:
    few, limits = seen((GOOD, 60), (FAILED, 1)), CanaryLimits(max_error_rate=0.02)
    assert judge(few, few + seen((FAILED, 12), (GOOD, 50)), limits, STAGE).state is CanaryState.BROKEN


def test_slow_answers_break_the_limits_of_time() -> None:
    slow = seen((replace(GOOD, pairs=((900.0, 5.0),)), LEAST))
    found = verdict(slow, CanaryLimits(max_median_ms=500, max_slowdown=3))
    assert (found.state, found.reasons) == (
        CanaryState.BROKEN,
        (
            "its median answer takes 900 ms, at most 500 ms are allowed (99 % sure: 900 to 900)",
            "its median answer takes 900 ms, 180.0 times the old version's 5 ms, at most 3 times are allowed "
            "(99 % sure: 180.0 to 180.0)",
        ),
    )


def test_answers_too_slow_to_be_many_break_it_off_once_the_time_is_over() -> None:
    slow, limits = seen((replace(GOOD, pairs=((9000.0, 5.0),)), 20)), CanaryLimits(max_median_ms=500)
    states = [verdict(slow, limits, replace(STAGE, over=over)).state for over in (False, True)]
    assert states == [CanaryState.OPEN, CanaryState.BROKEN]


def test_other_predictions_break_the_limit_of_difference() -> None:
    found = verdict(seen((OTHER, LEAST)), CanaryLimits(max_difference=0.5))
    assert found.state is CanaryState.BROKEN
    assert found.reasons[0].startswith("100 of 100 predictions differ from the old version's, at most 50% may")


def test_many_rows_of_one_request_are_one_piece_of_evidence() -> None:
    rows = replace(GOOD, predictions=1000, squares=1000**2, different=600)
    few, many = (seen((rows, count)) for count in (LEAST, 2000))
    assert [verdict(each, CanaryLimits(max_difference=0.5)).state for each in (few, many)] == [
        CanaryState.OPEN,
        CanaryState.BROKEN,
    ]


def test_what_both_versions_fail_is_not_the_new_ones_fault() -> None:
    found = verdict(seen((SHARED, 1000), (GOOD, 10)), CanaryLimits())
    assert found.state is CanaryState.OPEN
    assert "1000 requests failed at both" in found.reasons[0]


def test_a_version_is_not_withdrawn_for_failing_no_more_than_the_one_that_serves() -> None:
    found = verdict(seen((GOOD, 50), (FAILED, 40), (FAILED_BESIDE, 40)), CanaryLimits(max_error_rate=0.02))
    assert found.state is CanaryState.OPEN
    assert "and so did 40 of 130 at the version that serves" in found.reasons[0]


def test_it_is_when_it_fails_far_more() -> None:
    found = verdict(seen((GOOD, 50), (FAILED, 200), (FAILED_BESIDE, 20)), CanaryLimits(max_error_rate=0.02))
    assert found.state is CanaryState.BROKEN


def test_beside_a_version_that_does_not_answer_there_is_no_verdict_unless_it_is_judged_alone() -> None:
    alone = seen((FAILED_BESIDE, 60))
    found = verdict(alone, CanaryLimits())
    assert (found.state, "--no-canary" in found.reasons[0]) == (CanaryState.OPEN, True)
    assert verdict(alone, CanaryLimits(), replace(STAGE, compared=False)) == CanaryVerdict(CanaryState.KEPT)


def test_a_slow_version_is_found_out_beside_one_that_does_not_answer() -> None:
    slow = seen((replace(FAILED_BESIDE, alone=(900.0,)), 60))
    assert verdict(slow, CanaryLimits(max_median_ms=500), replace(STAGE, compared=False)).state is CanaryState.BROKEN


@pytest.mark.parametrize(("to_new", "state"), [(0, CanaryState.OPEN), (5, CanaryState.KEPT)])
def test_without_traffic_there_is_no_verdict(to_new: int, state: CanaryState) -> None:
    step = seen((GOOD, 100), (Observation(answered={"blue": 1}), 95), (Observation(answered={"green": 1}), to_new))
    found = verdict(step, CanaryLimits())
    assert found.state is state
    assert [("without traffic" in reason) for reason in found.reasons] == [True] * (state is CanaryState.OPEN)


STEP = WatchPlan(CanaryLimits(max_error_rate=0.02), share=0, new="green", seconds=300, extra_seconds=900, last=False)


class Site:
    """A probe that sees what it is told, each round of it taking `takes_s`; and the clock of it."""

    def __init__(self, sees: Callable[[int], Observation], takes_s: float = 0.05) -> None:
        self._sees, self._takes_s = sees, takes_s
        self.now, self.rounds = 0.0, 0

    def round(self) -> Observation:
        self.rounds += 1
        self.now += self._takes_s
        return self._sees(self.rounds)

    def watched(self, step: WatchPlan = STEP) -> WatchResult:
        return watch(Step("canary 10 %", Silent()), step, self, clock=lambda: self.now, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


def failing_at(*places: int) -> Site:
    return Site(lambda place: FAILED if place in places else GOOD)


@pytest.mark.parametrize("place", [1, 10, 30, 60, 200, 2000])
def test_a_failure_under_the_limit_is_watched_to_the_end_wherever_it_is(place: int) -> None:
    site = failing_at(place)
    seen = site.watched()
    assert seen.verdict.state is CanaryState.KEPT
    assert 300 <= site.now < 301
    assert (seen.seen.errors, seen.seen.requests > 2000) == (1, True)


@given(st.sets(st.integers(1, 2900), max_size=20))
def test_no_step_ends_before_its_time_but_for_a_broken_limit(places: set[int]) -> None:
    site = failing_at(*places)
    seen = site.watched()
    assert site.now >= 300 or seen.verdict.state is CanaryState.BROKEN


@pytest.mark.parametrize("limit", [0.02, 0.3])
def test_a_version_that_is_down_is_found_out_after_a_few_requests(limit: float) -> None:
    site = Site(lambda _: FAILED)
    assert site.watched(replace(STEP, limits=CanaryLimits(max_error_rate=limit))).verdict.state is CanaryState.BROKEN
    assert site.rounds < 15


def test_a_failure_that_may_be_chance_is_no_reason_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Observation] = []

    def count(step: Observation, *rest: Any) -> CanaryVerdict:
        looks.append(step)
        return judge(step, *rest)

    monkeypatch.setattr(canary, "judge", count)
    counts = []
    for site in (failing_at(), failing_at(*range(100, 3000, 100))):
        site.watched()
        counts.append(len(looks))
        looks.clear()
    assert abs(counts[1] - counts[0]) <= 2


def test_without_tolerance_the_first_failure_ends_the_watch() -> None:
    site = failing_at(7)
    assert site.watched(replace(STEP, limits=CanaryLimits())).verdict.state is CanaryState.BROKEN
    assert site.rounds == 7


@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_a_short_step_gets_its_answers_all_the_same(seconds: float) -> None:
    site = failing_at()
    seen = site.watched(replace(STEP, seconds=seconds))
    assert (seen.verdict.state, seen.seen.answers) == (CanaryState.KEPT, LEAST)


def test_answers_that_come_slowly_are_waited_for() -> None:
    site = Site(lambda _: GOOD, takes_s=10)
    seen = site.watched()
    assert (seen.verdict.state, seen.seen.answers, site.now) == (CanaryState.KEPT, LEAST, 500)


def test_a_step_that_may_have_broken_its_limit_is_monitored_until_there_is_a_verdict() -> None:
    site = failing_at(*range(2850, 2930))  # 80 in the last 10 seconds: 2.7 %
    seen = site.watched()
    assert (seen.verdict.state, seen.seen.error_rate <= 0.02) == (CanaryState.KEPT, True)
    assert 301 < site.now < 1200


def test_a_step_without_enough_answers_ends_without_a_verdict() -> None:
    site = Site(lambda place: FAILED if place % 48 == 0 else GOOD)  # 2.08 %: above the limit, and never surely so
    seen = site.watched()
    assert (seen.verdict.state, 1200 <= site.now < 1201) == (CanaryState.OPEN, True)
    assert "at most 2.00% may" in seen.verdict.reasons[0]


@pytest.mark.parametrize("nothing", [Observation(), Observation(shared=1)])
def test_without_answers_there_is_no_verdict(nothing: Observation) -> None:
    site = Site(lambda _: nothing)
    seen = site.watched()
    assert seen.verdict.state is CanaryState.OPEN
    assert "0 requests were answered by both versions, 50 are needed" in seen.verdict.reasons[0]


def test_a_probe_is_no_load() -> None:
    site = Site(lambda _: GOOD, takes_s=0.001)
    assert site.watched().seen.requests <= 3001


def test_the_monitoring_reports_where_it_is_at_once_then_each_second_or_so_and_at_its_end() -> None:
    site = Site(lambda _: GOOD, takes_s=0.01)
    record = Record()
    step = Step("canary 10 %", record)
    watch(step, replace(STEP, seconds=10), site, clock=lambda: site.now, sleep=lambda _: None)
    counts = [int(fact.text.partition(" ")[0]) for fact in record.of(StepNoted)]
    assert counts[0] == 1
    assert 1000 <= counts[-1] <= 1001
    assert all(100 <= other - one <= 220 for one, other in itertools.pairwise(counts))
