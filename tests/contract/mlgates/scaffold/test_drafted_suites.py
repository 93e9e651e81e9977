import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlgates.expectations.validation import load_suite, validate
from mlgates.scaffold import drafted_samples, drafted_suites
from mlgates.scaffold.columns import Column
from mlgates.scaffold.target import find_target, read_target
from tests.unit.mlgates.scaffold.tables import columns_of

SENTENCES = [f"the {number} of them went home" for number in range(40)]
FRAME = pd.DataFrame(
    {
        "id": range(40),
        "height": [1.5 + number / 100 for number in range(40)],
        "count": [-3, 0, 5, None] * 10,
        "color": ["red", "blue", None, "red"] * 10,
        "zip": ["02134", "02135"] * 20,
        "smokes": [True, False] * 20,
        "opted": [True, False, None, None] * 10,
        "day": [f"2024-01-{day:02}" for day in range(1, 21)] * 2,
        "remark": SENTENCES,
        "empty": [None] * 40,
        "größe 1": [1, 2] * 20,
        "y": ["no", "yes"] * 20,
    }
)


@pytest.fixture(scope="module")
def columns() -> list[Column]:
    return columns_of(FRAME)


@pytest.fixture
def training_suite(columns: list[Column], tmp_path: Path) -> Path:
    target = read_target(find_target(columns, "y"), None)
    file = tmp_path / "training-set.json"
    file.write_text(drafted_suites.draft_training_suite(columns, target, len(FRAME)), encoding="utf-8")
    return file


def as_read(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(frame.to_csv(index=False)))


def test_the_table_meets_the_suite_that_is_drafted_from_it(training_suite: Path) -> None:
    result = validate(as_read(FRAME), load_suite(training_suite))
    assert result.passed, result.summary


@pytest.mark.parametrize(
    ("column", "values", "expectation"),
    [
        ("height", [1000.0] * 40, "expect_column_values_to_be_between"),
        ("height", ["1,5"] * 40, "expect_column_values_to_be_in_type_list"),
        ("height", [None] * 40, "expect_column_values_to_not_be_null"),
        ("count", [None] * 40, "expect_column_values_to_not_be_null"),
        ("color", ["green"] * 40, "expect_column_values_to_be_in_set"),
        ("y", ["maybe", "no"] * 20, "expect_column_values_to_be_in_set"),
        ("id", [1] * 40, "expect_column_values_to_be_unique"),
        ("day", ["soon"] * 40, "expect_column_values_to_match_regex"),
    ],
)
def test_a_broken_column_breaks_the_suite(
    training_suite: Path, column: str, values: list[Any], expectation: str
) -> None:
    result = validate(as_read(FRAME.assign(**{column: values})), load_suite(training_suite))
    assert (expectation, column) in [(each.expectation, each.column) for each in result.failed]


def test_a_column_that_is_missing_breaks_the_suite(training_suite: Path) -> None:
    assert not validate(as_read(FRAME.drop(columns="zip")), load_suite(training_suite)).passed


def test_every_expectation_says_what_to_do(training_suite: Path) -> None:
    assert all(each["notes"] for each in json.loads(training_suite.read_text("utf-8"))["expectations"])


@pytest.fixture
def features(columns: list[Column]) -> list[Column]:
    return [each for each in columns if each.kind.feature and each.name != "y"]


def test_the_samples_meet_their_suite(features: list[Column], tmp_path: Path) -> None:
    (tmp_path / "sample.json").write_text(drafted_suites.draft_sample_suite(features), encoding="utf-8")
    rows = drafted_samples.batch_file(drafted_samples.draft_rows(features))
    result = validate(pd.read_csv(io.StringIO(rows)), load_suite(tmp_path / "sample.json"))
    assert result.passed, result.summary


def test_both_samples_hold_the_same_rows(features: list[Column]) -> None:
    rows = drafted_samples.draft_rows(features)
    body = json.loads(drafted_samples.online_request(rows))["input_data"]
    batch = pd.read_csv(io.StringIO(drafted_samples.batch_file(rows)), dtype=str)
    assert body["columns"] == list(batch.columns)
    assert [[str(each) for each in row] for row in body["data"]] == batch.to_numpy().tolist()


def test_a_sample_holds_no_identifier_and_no_whole_text_of_the_table(features: list[Column]) -> None:
    rows = drafted_samples.draft_rows(features)
    assert all("id" not in row and row["remark"] not in SENTENCES for row in rows)
