from hypothesis import given
from hypothesis import strategies as st

from mlgates.release.release_file import ALL
from mlgates.release.traffic import Split, next_split, steps_left

steps = st.lists(st.integers(1, 99), max_size=5, unique=True).map(lambda some: (*sorted(some), ALL))
shares = st.integers(0, ALL)


@given(steps, shares, st.sampled_from([None, "baseline"]))
def test_the_traffic_is_always_100_percent_in_all(plan: tuple[int, ...], share: int, baseline: str | None) -> None:
    split = next_split(Split("new", "old", share, baseline), plan, broken=False)
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
    assert next_split(Split("new", "old", share, baseline), plan, broken=True).traffic == {"old": ALL}


@given(steps)
def test_the_steps_are_gone_in_their_order_to_the_end(plan: tuple[int, ...]) -> None:
    split, gone = Split("new", "old", 0), []
    while split.share < ALL:
        split = next_split(split, plan, broken=False)
        gone.append(split.share)
    assert tuple(gone) == plan


@given(steps, shares)
def test_an_interrupted_canary_goes_on_with_the_step_that_it_was_on(plan: tuple[int, ...], share: int) -> None:
    left = steps_left(plan, share)
    assert left == plan[len(plan) - len(left) :]
    assert left[-1] == ALL
    assert all(step >= share for step in left)
    assert all(step < share for step in plan[: len(plan) - len(left)])
