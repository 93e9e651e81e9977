import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.release.canary_statistics import Observation, interval, is_above, is_below, middle, total

counts = st.integers(0, 50)
times = st.lists(st.tuples(st.floats(0.1, 1e4), st.floats(0.1, 1e4)), max_size=5).map(tuple)
seen = st.builds(
    lambda requests, failed, predictions, other, pairs: Observation(
        requests=requests,
        errors=min(requests, failed),
        predictions=predictions,
        different=min(predictions, other),
        squares=predictions**2,
        pairs=pairs,
    ),
    counts, counts, counts, counts, times,
)  # fmt: skip


@given(seen, seen)
def test_observations_add_up(one: Observation, other: Observation) -> None:
    both = one + other
    assert (both.requests, both.errors) == (one.requests + other.requests, one.errors + other.errors)
    assert (both.predictions, both.different) == (one.predictions + other.predictions, one.different + other.different)
    assert both.pairs == one.pairs + other.pairs
    assert total([one, other, both]) == both + both


def test_answers_are_counted_by_who_gave_them() -> None:
    both = Observation(answered={"blue": 2}) + Observation(answered={"green": 1, "blue": 1})
    assert both.answered == {"blue": 3, "green": 1}


@given(st.integers(1, 100), st.integers(1, 100))
def test_rows_of_one_request_are_no_answers_of_their_own(requests: int, rows: int) -> None:
    one = Observation(predictions=rows, squares=rows**2)
    assert round(total([one] * requests).effective, 6) == requests


counted = st.integers(1, 5000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))
shares = st.floats(0.001, 0.999)
doubts = st.sampled_from([0.05, 0.01, 0.001])


@given(counted, doubts)
def test_what_was_counted_lies_within(counts: tuple[int, int], doubt: float) -> None:
    low, high = interval(*counts, doubt=doubt)
    assert 0 <= low <= counts[0] / counts[1] <= high <= 1


@given(counted, shares, doubts)
def test_a_share_is_excluded_exactly_when_it_lies_outside(counts: tuple[int, int], share: float, doubt: float) -> None:
    low, high = interval(*counts, doubt=doubt)
    if min(abs(share - low), abs(share - high)) < 1e-9:
        return
    assert is_above(*counts, share, doubt=doubt) is (share < low)
    assert is_below(*counts, share, doubt=doubt) is (share > high)


@given(counted, st.integers(2, 20))
def test_more_of_the_same_makes_it_narrower(counts: tuple[int, int], times: int) -> None:
    count, of = counts
    few, many = interval(count, of, doubt=0.01), interval(count * times, of * times, doubt=0.01)
    assert many[1] - many[0] <= few[1] - few[0]


@given(counted)
def test_less_doubt_makes_it_wider(counts: tuple[int, int]) -> None:
    sure, surer = interval(*counts, doubt=0.01), interval(*counts, doubt=0.001)
    assert surer[0] <= sure[0]
    assert surer[1] >= sure[1]


def test_nothing_counted_excludes_nothing() -> None:
    assert interval(0, 0, doubt=0.01) == (0.0, 1.0)


@given(st.integers(1, 100))
def test_a_share_of_nothing_is_broken_by_one(of: int) -> None:
    assert is_above(1, of, 0.0, doubt=1e-12)
    assert not is_above(0, of, 0.0, doubt=0.5)


@pytest.mark.parametrize("place", [1, 10, 30, 60, 200])
def test_one_failure_is_never_evidence_against_two_percent(place: int) -> None:
    assert not is_above(1, place, 0.02, doubt=0.001)


@pytest.mark.parametrize("share", [0.01, 0.5])
def test_however_often_one_looks_the_true_share_is_excluded_no_more_often_than_the_doubt(share: float) -> None:
    chance, doubt, runs, excluded = random.Random(7), 0.05, 400, 0
    for _ in range(runs):
        count = 0
        for of in range(1, 400):
            count += chance.random() < share
            if is_above(count, of, share, doubt=doubt) or is_below(count, of, share, doubt=doubt):
                excluded += 1
                break
    assert excluded / runs <= doubt


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300))
def test_the_median_lies_within_its_interval(values: list[float]) -> None:
    low, high = middle(values, doubt=0.01)
    assert low <= statistics.median(values) <= high


@pytest.mark.parametrize(("count", "is_open"), [(5, True), (50, False)])
def test_a_median_of_few_has_no_bounds(count: int, *, is_open: bool) -> None:
    assert math.isinf(middle(list(map(float, range(count))), doubt=0.01)[0]) is is_open
