"""The suites repeat what the schema says; here the two are held together."""

import json
from typing import Any

import pytest

from diabetes.schema import COLUMNS, FEATURE_COLUMNS, FEATURES, Column
from mlgates import load_suite
from tests.data.conftest import SUITES

ALL = tuple(column.name for column in COLUMNS)
SUITE_COLUMNS = {"training-set": ALL, "batch-sample": FEATURES, "online-sample": FEATURES}

pytestmark = pytest.mark.parametrize("name", SUITE_COLUMNS)


def stored(name: str) -> list[dict[str, Any]]:
    suite = json.loads((SUITES / f"{name}.json").read_text(encoding="utf-8"))
    expectations: list[dict[str, Any]] = suite["expectations"]
    return expectations


def about(name: str, column: Column, expectation: str) -> dict[str, Any]:
    """Return the settings of the one such expectation about a column."""
    (found,) = (
        each["kwargs"]
        for each in stored(name)
        if each["type"].startswith(expectation) and each["kwargs"].get("column") == column.name
    )
    return {key: value for key, value in found.items() if key != "column"}


def test_the_columns_are_those_of_the_schema_in_its_order(name: str) -> None:
    assert stored(name)[0] == {
        **stored(name)[0],
        "type": "expect_table_columns_to_match_ordered_list",
        "kwargs": {"column_list": list(SUITE_COLUMNS[name])},
    }


@pytest.mark.parametrize("column", FEATURE_COLUMNS, ids=FEATURES)
def test_a_feature_has_the_range_of_the_schema(name: str, column: Column) -> None:
    limits = {"min_value": column.minimum, "max_value": column.maximum}
    assert about(name, column, "expect_column_values_to_be_between") == limits


@pytest.mark.parametrize("column", FEATURE_COLUMNS, ids=FEATURES)
def test_a_feature_has_the_type_of_the_schema(name: str, column: Column) -> None:
    if name != "training-set" and column.dtype == "float64":
        # A request may give a whole number where a fraction is as good; JSON and CSV then read as int64.
        assert about(name, column, "expect_column_values_to_be_in_type_list") == {"type_list": ["float64", "int64"]}
    else:
        assert about(name, column, "expect_column_values_to_be_of_type") == {"type_": column.dtype}


def test_no_column_may_have_gaps(name: str) -> None:
    guarded = [each["kwargs"]["column"] for each in stored(name) if each["type"].endswith("to_not_be_null")]
    assert guarded == list(SUITE_COLUMNS[name])


def test_every_expectation_says_what_to_do(name: str) -> None:
    assert all(each["notes"] for each in stored(name))


def test_a_suite_is_stored_as_great_expectations_writes_it(name: str) -> None:
    loaded: dict[str, Any] = load_suite(SUITES / f"{name}.json").to_json_dict()
    for part in (loaded, *loaded["expectations"]):
        part.pop("id", None)
    assert loaded == json.loads((SUITES / f"{name}.json").read_text(encoding="utf-8"))
