import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from mlgates.contract.ranges import read_ranges
from mlgates.contract.signature import Kind, Limits
from mlgates.contract.strategies import values
from mlgates.core.errors import AssetMissing, ConfigurationError
from tests.unit.mlgates.contract.models import few

BETWEEN = "expect_column_values_to_be_between"


def suite(file: Path, *expectations: tuple[str, dict[str, Any]]) -> Path:
    file.write_text(json.dumps({"name": "s", "expectations": [{"type": t, "kwargs": k} for t, k in expectations]}))
    return file


def test_a_range_is_learned(tmp_path: Path) -> None:
    file = suite(tmp_path / "s.json", (BETWEEN, {"column": "a", "min_value": 0, "max_value": 9}))
    assert read_ranges([file]) == {"a": Limits(0, 9)}


def test_a_second_suite_narrows_the_first(tmp_path: Path) -> None:
    one = suite(tmp_path / "1.json", (BETWEEN, {"column": "a", "min_value": 0, "max_value": 9}))
    two = suite(tmp_path / "2.json", (BETWEEN, {"column": "a", "min_value": 2}))
    assert read_ranges([one, two]) == read_ranges([two, one]) == {"a": Limits(2, 9)}


def test_whole_numbers_and_choices_are_learned(tmp_path: Path) -> None:
    file = suite(
        tmp_path / "s.json",
        ("expect_column_values_to_be_of_type", {"column": "a", "type_": "int64"}),
        ("expect_column_values_to_be_in_set", {"column": "b", "value_set": [0, 1]}),
    )
    assert read_ranges([file]) == {"a": Limits(whole=True), "b": Limits(values=(0, 1))}


@pytest.mark.parametrize(
    ("expectation", "arguments"),
    [
        (BETWEEN, {"column": "a", "max_value": 9, "mostly": 0.9}),
        ("expect_column_mean_to_be_between", {"column": "a", "max_value": 9}),
        ("expect_column_values_to_be_of_type", {"column": "a", "type_": "float64"}),
    ],
)
def test_what_holds_for_some_rows_only_limits_nothing(
    tmp_path: Path, expectation: str, arguments: dict[str, Any]
) -> None:
    assert read_ranges([suite(tmp_path / "s.json", (expectation, arguments))]).get("a", Limits()) == Limits()


def test_expectations_of_the_table_limit_no_column(tmp_path: Path) -> None:
    assert read_ranges([suite(tmp_path / "s.json", ("expect_table_row_count_to_be_between", {"min_value": 1}))]) == {}


def test_a_missing_suite_is_told(tmp_path: Path) -> None:
    with pytest.raises(AssetMissing, match="no such suite"):
        read_ranges([tmp_path / "none.json"])


@pytest.mark.parametrize(
    ("text", "why"), [("{", "not JSON"), ("[]", "a suite is"), ('{"expectations": [{}]}', "a suite is")]
)
def test_a_file_that_is_no_suite_is_told(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "s.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=why):
        read_ranges([file])


@pytest.mark.parametrize(
    ("limits", "allowed"),
    [
        (Limits(values=(0, 1)), {0, 1}),
        (Limits(2, 4, whole=True), {2, 3, 4}),
    ],
)
def test_what_is_drawn_is_within_the_limits(limits: Limits, allowed: set[object]) -> None:
    @few
    @given(values(Kind.DOUBLE, limits))
    def drawn(value: object) -> None:
        assert value in allowed

    drawn()
