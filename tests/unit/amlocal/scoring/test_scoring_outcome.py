from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amlocal.scoring.errors import ScoringError, reason_of
from amlocal.scoring.files import MiniBatch
from amlocal.scoring.outcome import Outcome, too_many
from amlocal.scoring.scorer import Result


@given(st.text(max_size=3000))
def test_a_reason_is_one_line_of_a_bearable_length(message: str) -> None:
    reason = reason_of(ValueError(message))
    assert reason.startswith("ValueError:")
    assert (len(reason.splitlines()), len(reason) < 1010) == (1, True)


@given(st.integers(0, 10**6))
def test_minus_one_lets_any_number_of_files_fail(failed: int) -> None:
    assert not too_many(failed, -1)


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_as_many_files_may_fail_as_the_threshold_says(failed: int, threshold: int) -> None:
    assert too_many(failed, threshold) == (failed > threshold)


@given(st.permutations(range(6)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lines_come_out_in_order_whatever_order_results_come_in(tmp_path: Path, order: list[int]) -> None:
    output = tmp_path / "predictions.csv"
    output.write_bytes(b"")
    outcome = Outcome(-1, output)
    for number in order:
        part = tmp_path / str(number)
        part.write_text(f"{number}\n")
        outcome.add(MiniBatch(number, (Path("f"),)), part, Result(1))
    assert output.read_text() == "0\n1\n2\n3\n4\n5\n"


def test_one_failure_more_than_allowed_ends_the_job_and_names_the_file(tmp_path: Path) -> None:
    outcome = Outcome(1, None)
    outcome.add(MiniBatch(0, (Path("a"),)), None, Result(0, {"a": "unreadable"}))
    with pytest.raises(ScoringError, match=r"2 files failed, and error_threshold is 1\. The first: a: unreadable"):
        outcome.add(MiniBatch(1, (Path("b"),)), None, Result(0, {"b": "unreadable"}))
