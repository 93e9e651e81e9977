from hypothesis import given
from hypothesis import strategies as st

from mlgates.expectations.values import ExpectationResult, FailedExpectation

FAILED = st.builds(FailedExpectation, *[st.text(max_size=5)] * 5)


@given(st.lists(FAILED, max_size=3))
def test_a_result_passes_exactly_when_nothing_failed(failed: list[FailedExpectation]) -> None:
    assert ExpectationResult("suite", 5, tuple(failed)).passed == (not failed)


def test_the_summary_counts_and_lists() -> None:
    failed = FailedExpectation("expect_it", "age", "max_value=3", "4", "Do this.")
    assert ExpectationResult("suite", 5, (failed,)).summary == (
        "suite: 4 of 5 expectations met\n  age: expect_it (max_value=3): found 4. Do this."
    )
