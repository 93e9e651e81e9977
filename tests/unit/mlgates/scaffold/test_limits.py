from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.scaffold.choices import Task
from mlgates.scaffold.limits import draft_limits

scores = st.floats(-1e6, 1e6, allow_subnormal=False)


def figures(*values: float, size: int = 1000) -> dict[str, Any]:
    return {
        "scores": [{"r2": each, "neg_root_mean_squared_error": each} for each in values],
        "bytes": size,
        "types": [],
    }


@given(st.lists(scores, min_size=1, max_size=6))
def test_no_split_of_the_first_training_breaks_a_limit(values: list[float]) -> None:
    drafted = draft_limits({"linear": figures(*values)}, Task.REGRESSION)
    assert all(limit.min <= min(values) for limit in drafted.metrics.values())


def test_the_better_estimator_is_chosen() -> None:
    drafted = draft_limits({"linear": figures(0.5, 0.6), "forest": figures(0.7, 0.6)}, Task.REGRESSION)
    assert (drafted.estimator, drafted.reason) == ("forest", "r2 0.650 in a first training, linear 0.550")


def test_scores_that_differ_more_leave_more_room() -> None:
    calm, restless = (draft_limits({"a": figures(*each)}, Task.REGRESSION) for each in ([0.8, 0.8], [0.8, 1.0]))
    assert restless.metrics["r2"].min < calm.metrics["r2"].min


@pytest.mark.parametrize(("size", "limit"), [(1000, 10), (20_000_000, 60)])
def test_the_size_has_room_for_three_of_the_first_model(size: int, limit: int) -> None:
    assert draft_limits({"a": figures(0.5, size=size)}, Task.REGRESSION).size_mb == limit


def test_types_of_every_estimator_are_trusted() -> None:
    found = {"a": {**figures(0.5), "types": ["m.B"]}, "b": {**figures(0.4), "types": ["m.A", "m.B"]}}
    assert draft_limits(found, Task.REGRESSION).trusted_types == ("m.A", "m.B")
