from hypothesis import given
from hypothesis import strategies as st

from mlgates.release.canary import Observation, Split, following, steps_left, total
from mlgates.release.declaration import ALL

steps = st.lists(st.integers(1, 99), max_size=5, unique=True).map(lambda some: (*sorted(some), ALL))
shares = st.integers(0, ALL)
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


@given(steps, shares, st.sampled_from([None, "baseline"]))
def test_the_traffic_is_always_100_percent_in_all(plan: tuple[int, ...], share: int, baseline: str | None) -> None:
    split = following(Split("new", "old", share, baseline), plan, broken=False)
    assert sum(split.traffic.values()) == ALL
    assert all(0 < percent <= ALL for percent in split.traffic.values())


@given(st.integers(1, 50))
def test_a_baseline_gets_as_much_as_the_new_version(share: int) -> None:
    traffic = Split("new", "old", share, "baseline").traffic
    assert traffic["baseline"] == traffic["new"]


@given(steps, shares, st.sampled_from([None, "baseline"]))
def test_a_broken_limit_gives_all_traffic_to_the_old_version(
    plan: tuple[int, ...], share: int, baseline: str | None
) -> None:
    assert following(Split("new", "old", share, baseline), plan, broken=True).traffic == {"old": ALL}


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
    assert both.pairs == one.pairs + other.pairs
    assert total([one, other, both]) == both + both


def test_answers_are_counted_by_who_gave_them() -> None:
    both = Observation(answered={"blue": 2}) + Observation(answered={"green": 1, "blue": 1})
    assert both.answered == {"blue": 3, "green": 1}


@given(st.integers(1, 100), st.integers(1, 100))
def test_rows_of_one_request_are_no_answers_of_their_own(requests: int, rows: int) -> None:
    one = Observation(predictions=rows, squares=rows**2)
    assert round(total([one] * requests).effective, 6) == requests
