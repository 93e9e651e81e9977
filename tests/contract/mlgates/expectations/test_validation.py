"""A suite is read whole or refused, and a table validated against it."""

import json
import logging
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgates.core.errors import AssetMissing
from mlgates.expectations.validation import SuiteError, load_suite, validate

NOT_NULL = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "age"}}


def suite_file(folder: Path, **content: Any) -> Path:
    path = folder / "suite.json"
    path.write_text(json.dumps({"name": "people", **content}))
    return path


def test_a_suite_has_every_expectation_of_its_file(tmp_path: Path) -> None:
    path = suite_file(tmp_path, expectations=[NOT_NULL, {"type": "expect_column_to_exist", "kwargs": {"column": "b"}}])
    assert [each.expectation_type for each in load_suite(path).expectations] == [
        "expect_column_values_to_not_be_null",
        "expect_column_to_exist",
    ]


def test_identifiers_that_a_store_gave_are_no_hindrance(tmp_path: Path) -> None:
    identifier = "b8a49165-8c81-45d4-b301-92b75d472cb2"
    suite = load_suite(suite_file(tmp_path, id=identifier, expectations=[{**NOT_NULL, "id": identifier}]))
    assert (suite.id, suite.expectations[0].id) == (None, None)


@pytest.mark.parametrize(
    ("expectation", "message"),
    [
        (
            {**NOT_NULL, "type": "expect_column_values_to_not_be_nul"},
            "Did you mean 'expect_column_values_to_not_be_null'",
        ),
        ({**NOT_NULL, "kwargs": {}}, "column field required"),
        ({**NOT_NULL, "kwargs": {"column": "a", "min": 3}}, "min extra fields not permitted"),
        ({**NOT_NULL, "severity": "grave"}, "severity"),
        ({**NOT_NULL, "note": "typo"}, "unexpected keyword argument 'note'"),
        ({"kwargs": {}}, "with a 'type'"),
        ("expect_column_to_exist", "with a 'type'"),
    ],
)
def test_an_expectation_that_cannot_be_used_is_named_and_not_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, expectation: object, message: str
) -> None:
    path = suite_file(tmp_path, expectations=[NOT_NULL, expectation])
    with caplog.at_level(logging.ERROR), pytest.raises(SuiteError) as caught:
        load_suite(path)
    assert str(caught.value).startswith(f"{path}, expectations[1]")
    assert message in str(caught.value)
    assert caplog.records == []


@pytest.mark.parametrize(
    "content", [{}, {"expectations": []}, {"expectations": {}}, {"name": 5, "expectations": [NOT_NULL]}]
)
def test_a_suite_without_name_or_expectations_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    with pytest.raises(SuiteError, match="a 'name' and a list of 'expectations'"):
        load_suite(suite_file(tmp_path, **content))


@pytest.mark.parametrize(("text", "message"), [("{", "not JSON"), ("[]", "this is a list")])
def test_a_file_that_is_no_suite_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "suite.json"
    path.write_text(text)
    with pytest.raises(SuiteError, match=message):
        load_suite(path)


def test_a_suite_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(AssetMissing, match="no such suite"):
        load_suite(tmp_path / "suite.json")


def test_a_suite_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="cannot be read"):
        load_suite(tmp_path)


PEOPLE = pd.DataFrame({"name": ["Ada", "Alan"], "age": [36, 41]})


@pytest.fixture(scope="module")
def suite_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    expectations = [
        {"type": "expect_column_values_to_be_between", "kwargs": {"column": "age", "min_value": 18, "max_value": 60}},
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "name"}, "notes": "Ask for it."},
        {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "name"}},
    ]
    path = tmp_path_factory.mktemp("suites") / "people.json"
    path.write_text(json.dumps({"name": "people", "expectations": expectations}))
    return path


def test_a_table_that_meets_its_suite_passes(suite_path: Path) -> None:
    result = validate(PEOPLE, load_suite(suite_path))
    assert (result.passed, result.suite, result.checked, result.docs) == (True, "people", 3, None)


@settings(max_examples=10, deadline=None)
@given(st.integers(-1000, 1000))
def test_a_value_fails_exactly_outside_its_range(suite_path: Path, age: int) -> None:
    result = validate(PEOPLE.assign(age=[age, 20]), load_suite(suite_path))
    assert result.passed == (18 <= age <= 60)


def test_failures_come_in_the_order_of_the_suite_though_some_raise(suite_path: Path) -> None:
    result = validate(pd.DataFrame({"age": [5, 90]}), load_suite(suite_path))
    assert [(failed.column, failed.observed) for failed in result.failed] == [
        ("age", "2 of 2 values wrong, such as 5, 90"),
        ("name", "no such column"),
        ("name", "no such column"),
    ]


def test_the_remedy_is_in_the_notes_of_the_suite(suite_path: Path) -> None:
    (failed,) = validate(PEOPLE.assign(name=pd.Series(["Ada"])), load_suite(suite_path)).failed
    assert failed.remedy == "Ask for it."


def test_a_suite_can_be_used_again(suite_path: Path) -> None:
    suite = load_suite(suite_path)
    assert validate(PEOPLE, suite) == validate(PEOPLE, suite)


def test_data_docs_lie_under_the_suites_name(suite_path: Path, tmp_path: Path) -> None:
    result = validate(PEOPLE, load_suite(suite_path), docs=tmp_path / "docs")
    assert result.docs == tmp_path / "docs" / "people" / "index.html"
    assert "people" in result.docs.read_text(encoding="utf-8")


def test_data_docs_of_an_earlier_time_are_replaced_and_other_files_kept(suite_path: Path, tmp_path: Path) -> None:
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "own.txt").touch()
    for _ in range(2):
        validate(PEOPLE, load_suite(suite_path), docs=tmp_path)
    assert len(list(tmp_path.glob("people/validations/**/*.html"))) == 1
    assert (tmp_path / "people" / "own.txt").exists()


def test_a_validation_is_silent(suite_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    validate(PEOPLE, load_suite(suite_path))
    assert capfd.readouterr() == ("", "")
