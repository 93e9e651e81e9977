from hypothesis import given
from hypothesis import strategies as st

from mlgates.release.canary import Observation, Split, broken_limits, following, steps_left
from mlgates.release.declaration import ALL, Limits

steps = st.lists(st.integers(1, 99), max_size=5, unique=True).map(lambda some: (*sorted(some), ALL))
shares = st.integers(0, ALL)
counts = st.integers(0, 50)
times = st.lists(st.floats(0.1, 1e4), max_size=5).map(tuple)
seen = st.builds(
    lambda requests, failed, predictions, other, new, old: Observation(
        requests=requests,
        errors=min(requests, failed),
        predictions=predictions,
        different=min(predictions, other),
        milliseconds=new,
        beside=old,
    ),
    counts, counts, counts, counts, times, times,
)  # fmt: skip


@given(steps, shares)
def test_the_traffic_is_always_100_percent_in_all(plan: tuple[int, ...], share: int) -> None:
    split = following(Split("new", "old", share), plan, broken=False)
    assert sum(split.traffic.values()) == ALL
    assert all(0 < percent <= ALL for percent in split.traffic.values())


@given(steps, shares)
def test_a_broken_limit_gives_all_traffic_to_the_old_version(plan: tuple[int, ...], share: int) -> None:
    assert following(Split("new", "old", share), plan, broken=True).traffic == {"old": ALL}


@given(steps)
def test_the_steps_are_gone_in_their_order_to_the_end(plan: tuple[int, ...]) -> None:
    split, gone = Split("new", "old", 0), []
    while split.share < ALL:
        split = following(split, plan, broken=False)
        gone.append(split.share)
    assert tuple(gone) == plan


@given(steps, shares)
def test_an_interrupted_canary_goes_on_with_the_step_that_it_was_on(plan: tuple[int, ...], share: int) -> None:
    left = steps_left(plan, share)
    assert left == plan[len(plan) - len(left) :]
    assert left[-1] == ALL
    assert all(step >= share for step in left)
    assert all(step < share for step in plan[: len(plan) - len(left)])


@given(seen, seen)
def test_observations_add_up(one: Observation, other: Observation) -> None:
    both = one + other
    assert (both.requests, both.errors) == (one.requests + other.requests, one.errors + other.errors)
    assert (both.predictions, both.different) == (one.predictions + other.predictions, one.different + other.different)
    assert both.milliseconds == one.milliseconds + other.milliseconds


def test_answers_are_counted_by_who_gave_them() -> None:
    total = Observation(answered={"blue": 2}) + Observation(answered={"green": 1, "blue": 1})
    assert total.answered == {"blue": 3, "green": 1}


@given(seen)
def test_without_limits_only_errors_break_it_off(seen: Observation) -> None:
    assert bool(broken_limits(seen, Limits())) is (seen.errors > 0)


@given(seen, st.floats(0, 1))
def test_the_error_rate_is_held_to_its_limit(seen: Observation, limit: float) -> None:
    assert bool(broken_limits(seen, Limits(max_error_rate=limit))) is (seen.error_rate > limit)


@given(seen, st.floats(0, 1))
def test_the_difference_is_held_to_its_limit(seen: Observation, limit: float) -> None:
    told = broken_limits(seen, Limits(max_error_rate=1.0, max_difference=limit))
    assert bool(told) is (seen.difference > limit)


def test_a_slow_version_is_told_with_figure_and_limit() -> None:
    slow = Observation(requests=3, milliseconds=(900.0, 1000.0, 1100.0), beside=(10.0,))
    told = broken_limits(slow, Limits(max_median_ms=500, max_slowdown=3))
    assert told == (
        "its median answer takes 1000 ms, at most 500 ms are due",
        "its median answer takes 1000 ms, 100.0 times the old version's 10 ms, at most 3 times are due",
    )
