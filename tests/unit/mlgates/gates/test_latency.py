import time
from collections.abc import Iterable
from itertools import chain, repeat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.config.declaring import parsed
from mlgates.core.errors import ConfigurationError
from mlgates.evaluation.errors import CouldNotRun
from mlgates.gates.checks.latency import LatencyConfig, Times, check, measure, own_time
from tests.unit.mlgates.gates.fakes import evidence


class Watch:
    """A clock that only predictions move, each by the next of some seconds."""

    def __init__(self, seconds: Iterable[float]) -> None:
        self._seconds = iter(seconds)
        self.now = 0.0

    def predict(self) -> None:
        self.now += next(self._seconds)

    def __call__(self) -> float:
        return self.now


def measured(seconds: Iterable[float], *, most_ms: float, repeats: int = 5) -> tuple[float, int]:
    watch = Watch(seconds)
    found = measure(watch.predict, Times(median_ms=most_ms), repeats, watch)
    return found.median_ms, found.predictions


@given(st.floats(0.001, 0.1), st.integers(3, 20))
def test_a_steady_model_takes_what_it_takes(seconds: float, repeats: int) -> None:
    median, _ = measured(repeat(seconds), most_ms=1000, repeats=repeats)
    assert median == pytest.approx(seconds * 1000)


def test_the_first_prediction_warms_up_and_is_not_counted() -> None:
    assert measured(chain([9.0], repeat(0.01)), most_ms=100)[0] == pytest.approx(10)


def test_a_machine_that_was_busy_is_measured_again() -> None:
    assert measured(chain([0], repeat(0.5, 3), repeat(0.01)), most_ms=100)[0] == pytest.approx(10)


def test_a_slow_model_stays_slow() -> None:
    assert measured(repeat(0.3), most_ms=100)[0] == pytest.approx(300)


def test_a_round_ends_after_a_second() -> None:
    assert measured(repeat(0.3), most_ms=100)[1] == 4


def test_of_two_slow_rounds_the_better_one_is_reported() -> None:
    assert measured(chain([0], repeat(0.5, 3), repeat(0.4)), most_ms=100)[0] == pytest.approx(400)


def test_a_round_within_the_limits_is_not_repeated() -> None:
    assert measured([0.0, 0.01, 0.01, 0.01], most_ms=100, repeats=3)[1] == 3


def test_each_limit_is_a_result() -> None:
    declared = LatencyConfig(row=Times(median_ms=60_000, p95_ms=60_000), batch=Times(p95_ms=60_000), batch_rows=7)
    found = {result.name: result for result in check(declared, evidence([0, 1], [0.1, 0.9]))}
    assert found.keys() == {"row_median", "row_p95", "batch_p95"}
    assert found["batch_p95"].reason.startswith("7 rows in ")
    assert all(result.holds for result in found.values())


def test_without_rows_nothing_can_be_measured() -> None:
    with pytest.raises(CouldNotRun, match="no held-out rows"):
        list(check(LatencyConfig(), evidence([], [])))


def test_times_without_a_limit_say_nothing() -> None:
    with pytest.raises(ConfigurationError, match="give median_ms, p95_ms or both"):
        parsed("here", LatencyConfig, {"row": {}})


@pytest.mark.parametrize("counted", ["", "1", "no numbers here", None])
def test_where_the_waiting_is_not_counted_the_clock_is_the_walls(tmp_path: Path, counted: str | None) -> None:
    if counted is not None:
        (tmp_path / "schedstat").write_text(counted)
    before = time.perf_counter()
    assert before <= own_time(tmp_path / "schedstat") <= time.perf_counter()


@given(st.integers(0, 10**12))
def test_the_clock_leaves_out_the_waiting(tmp_path_factory: pytest.TempPathFactory, waited_ns: int) -> None:
    file = tmp_path_factory.mktemp("proc") / "schedstat"
    file.write_text(f"5 {waited_ns} 7\n")
    before = time.perf_counter()
    assert before <= own_time(file) + waited_ns / 1e9 <= time.perf_counter() + 1e-6


def test_a_clock_that_seems_to_go_back_counts_as_no_time() -> None:
    assert measured(chain([0], repeat(-0.01)), most_ms=100)[0] == 0
