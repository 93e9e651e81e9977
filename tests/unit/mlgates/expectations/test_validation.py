import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlgates.expectations.suites import load_suite
from mlgates.expectations.validation import validate

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
