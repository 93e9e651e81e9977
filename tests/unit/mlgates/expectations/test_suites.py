import json
import logging
from pathlib import Path
from typing import Any

import pytest

from mlgates.core.errors import AssetMissing
from mlgates.expectations.errors import SuiteError
from mlgates.expectations.suites import load_suite

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
    ("expectation", "told"),
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
    tmp_path: Path, caplog: pytest.LogCaptureFixture, expectation: object, told: str
) -> None:
    path = suite_file(tmp_path, expectations=[NOT_NULL, expectation])
    with caplog.at_level(logging.ERROR), pytest.raises(SuiteError) as caught:
        load_suite(path)
    assert str(caught.value).startswith(f"{path}, expectations[1]")
    assert told in str(caught.value)
    assert caplog.records == []


@pytest.mark.parametrize(
    "content", [{}, {"expectations": []}, {"expectations": {}}, {"name": 5, "expectations": [NOT_NULL]}]
)
def test_a_suite_without_name_or_expectations_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    with pytest.raises(SuiteError, match="a 'name' and a list of 'expectations'"):
        load_suite(suite_file(tmp_path, **content))


@pytest.mark.parametrize(("text", "told"), [("{", "not JSON"), ("[]", "this is a list")])
def test_a_file_that_is_no_suite_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "suite.json"
    path.write_text(text)
    with pytest.raises(SuiteError, match=told):
        load_suite(path)


def test_a_suite_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(AssetMissing, match="no such suite"):
        load_suite(tmp_path / "suite.json")


def test_a_suite_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="cannot be read"):
        load_suite(tmp_path)
