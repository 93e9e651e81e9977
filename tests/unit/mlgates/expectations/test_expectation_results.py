"""What a validation found, and how it is worded."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.expectations.results import ExpectationResult, FailedExpectation, failed_expectation

FAILED = st.builds(FailedExpectation, *[st.text(max_size=5)] * 5)


@given(st.lists(FAILED, max_size=3))
def test_a_result_passes_exactly_when_nothing_failed(failed: list[FailedExpectation]) -> None:
    assert ExpectationResult("suite", 5, tuple(failed)).passed == (not failed)


def test_the_summary_counts_and_lists() -> None:
    failed = FailedExpectation("expect_it", "age", "max_value=3", "4", "Do this.")
    assert ExpectationResult("suite", 5, (failed,)).summary == (
        "suite: 4 of 5 expectations met\n  age: expect_it (max_value=3): found 4. Do this."
    )


def result(found: dict[str, Any] | None = None, exception: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    kwargs = {"column": "age", "min_value": 0.0, "batch_id": "pandas-x"}
    configuration = {"type": "expect_it", "kwargs": kwargs, "notes": "Do this.", **more}
    return {"expectation_config": configuration, "result": found or {}, "exception_info": exception or {}}


def test_it_names_expectation_column_setting_and_remedy() -> None:
    failed = failed_expectation(result({"observed_value": -1.25}), ["age"])
    assert str(failed) == "age: expect_it (min_value=0): found -1.25. Do this."


def test_lists_are_shown_without_brackets() -> None:
    failed = failed_expectation(result({"observed_value": ["b", "a"]}, kwargs={"column_list": ["a", "b"]}), ["age"])
    assert (failed.wanted, failed.observed) == ("column_list=a, b", "b, a")


def test_an_expectation_about_the_table_names_no_column() -> None:
    failed = failed_expectation(result({"observed_value": 3}, kwargs={}, notes=None), ["age"])
    assert str(failed) == "expect_it: found 3"


def test_notes_in_several_paragraphs_are_one_remedy() -> None:
    assert failed_expectation(result({"observed_value": 3}, notes=["Do this.", "Then that."]), ["age"]).remedy == (
        "Do this. Then that."
    )


def test_wrong_values_are_counted_and_five_of_them_shown() -> None:
    found = {"unexpected_count": 9, "element_count": 10, "partial_unexpected_list": [1, 1, 2, 3, 4, 5, 6]}
    assert failed_expectation(result(found), ["age"]).observed == "9 of 10 values wrong, such as 1, 2, 3, 4, 5"


def test_a_missing_column_is_said_whatever_was_raised() -> None:
    failed = failed_expectation(result(exception={"exception_message": "list index out of range"}), ["size"])
    assert failed.observed == "no such column"


@pytest.mark.parametrize(
    "exception",
    [
        {"exception_message": "Text found.", "raised_exception": True},
        {"metric 1": {"exception_message": "Text found."}, "metric 2": {"exception_message": "Text found."}},
    ],
)
def test_what_was_raised_is_said_once(exception: dict[str, Any]) -> None:
    assert failed_expectation(result(exception=exception), ["age"]).observed == "Text found"


@given(st.text(min_size=1))
def test_no_finding_is_longer_than_a_person_reads(message: str) -> None:
    failed = failed_expectation(result(exception={"exception_message": message * 300}), ["age"])
    assert len(failed.observed) <= 203
