import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.core.progress import Record, Silent, Step, StepNoted
from mlgates.release.canary import Observation
from mlgates.release.declaration import LEAST, Limits
from mlgates.release.verdicts import State
from mlgates.release.watching import Watch, Watched, watch

GOOD = Observation(requests=1, requests_beside=1, pairs=((5.0, 5.0),), predictions=2, squares=4)
FAILED = Observation(requests=1, errors=1, requests_beside=1)
STEP = Watch(Limits(max_error_rate=0.02), share=0, new="green", seconds=300, extra_seconds=900, last=False)


class Site:
    """A probe that sees what it is told, each round of it taking `takes_s`; and the clock of it."""

    def __init__(self, sees: Callable[[int], Observation], takes_s: float = 0.05) -> None:
        self._sees, self._takes_s = sees, takes_s
        self.now, self.rounds = 0.0, 0

    def round(self) -> Observation:
        self.rounds += 1
        self.now += self._takes_s
        return self._sees(self.rounds)

    def watched(self, step: Watch = STEP) -> Watched:
        return watch(Step("canary 10 %", Silent()), step, self, clock=lambda: self.now, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


def failing_at(*places: int) -> Site:
    return Site(lambda place: FAILED if place in places else GOOD)


@pytest.mark.parametrize("place", [1, 10, 30, 60, 200, 2000])
def test_a_failure_under_the_limit_is_watched_to_the_end_wherever_it_is(place: int) -> None:
    site = failing_at(place)
    seen = site.watched()
    assert seen.verdict.state is State.KEPT
    assert 300 <= site.now < 301
    assert (seen.seen.errors, seen.seen.requests > 2000) == (1, True)


@given(st.sets(st.integers(1, 2900), max_size=20))
def test_no_step_ends_before_its_time_but_for_a_broken_limit(places: set[int]) -> None:
    site = failing_at(*places)
    seen = site.watched()
    assert site.now >= 300 or seen.verdict.state is State.BROKEN


@pytest.mark.parametrize("limit", [0.02, 0.3])
def test_a_version_that_is_down_is_found_out_after_a_few_requests(limit: float) -> None:
    site = Site(lambda _: FAILED)
    assert site.watched(replace(STEP, limits=Limits(max_error_rate=limit))).verdict.state is State.BROKEN
    assert site.rounds < 15


def test_without_tolerance_the_first_failure_ends_the_watch() -> None:
    site = failing_at(7)
    assert site.watched(replace(STEP, limits=Limits())).verdict.state is State.BROKEN
    assert site.rounds == 7


@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_a_short_step_gets_its_answers_all_the_same(seconds: float) -> None:
    site = failing_at()
    seen = site.watched(replace(STEP, seconds=seconds))
    assert (seen.verdict.state, seen.seen.answers) == (State.KEPT, LEAST)


def test_answers_that_come_slowly_are_waited_for() -> None:
    site = Site(lambda _: GOOD, takes_s=10)
    seen = site.watched()
    assert (seen.verdict.state, seen.seen.answers, site.now) == (State.KEPT, LEAST, 500)


def test_a_step_that_may_have_broken_its_limit_is_watched_until_one_can_tell() -> None:
    site = failing_at(*range(2850, 2930))  # 80 in the last 10 seconds: 2.7 %
    seen = site.watched()
    assert (seen.verdict.state, seen.seen.error_rate <= 0.02) == (State.KEPT, True)
    assert 301 < site.now < 1200


def test_a_step_that_nobody_can_tell_of_ends_without_a_verdict() -> None:
    site = Site(lambda place: FAILED if place % 48 == 0 else GOOD)  # 2.08 %: above the limit, and never surely so
    seen = site.watched()
    assert (seen.verdict.state, 1200 <= site.now < 1201) == (State.OPEN, True)
    assert "at most 2.00% may" in seen.verdict.reasons[0]


@pytest.mark.parametrize("nothing", [Observation(), Observation(shared=1)])
def test_without_answers_there_is_no_verdict(nothing: Observation) -> None:
    site = Site(lambda _: nothing)
    seen = site.watched()
    assert seen.verdict.state is State.OPEN
    assert "0 requests were answered by both versions, 50 are needed" in seen.verdict.reasons[0]


def test_a_probe_is_no_load() -> None:
    site = Site(lambda _: GOOD, takes_s=0.001)
    assert site.watched().seen.requests <= 3001


def test_the_watch_tells_where_it_is_at_once_then_each_second_or_so_and_at_its_end() -> None:
    site = Site(lambda _: GOOD, takes_s=0.01)
    record = Record()
    step = Step("canary 10 %", record)
    watch(step, replace(STEP, seconds=10), site, clock=lambda: site.now, sleep=lambda _: None)
    counts = [int(fact.text.partition(" ")[0]) for fact in record.of(StepNoted)]
    assert counts[0] == 1
    assert 1000 <= counts[-1] <= 1001
    assert all(100 <= other - one <= 220 for one, other in itertools.pairwise(counts))
