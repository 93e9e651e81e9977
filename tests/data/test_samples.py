"""The batch sample and the online sample meet their suites, and break them when they are broken."""

from pathlib import Path

import pandas as pd
import pytest

from diabetes.schema import FEATURES
from mlgates import load_suite, read_csv, validate
from tests.data.conftest import SUITES

SAMPLES = ["batch", "online"]


@pytest.fixture(params=SAMPLES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sample(name: str, request: pytest.FixtureRequest) -> pd.DataFrame:
    table: pd.DataFrame = request.getfixturevalue(f"{name}_sample")
    return table


@pytest.fixture
def suite_path(name: str) -> Path:
    return SUITES / f"{name}-sample.json"


def test_a_sample_meets_its_suite_and_its_checkpoint_writes_data_docs(
    sample: pd.DataFrame, suite_path: Path, tmp_path: Path
) -> None:
    result = validate(sample, load_suite(suite_path), docs=tmp_path)
    assert result.passed, result.summary
    assert result.docs is not None
    assert result.docs.is_file()


def test_both_samples_begin_with_the_same_patient(batch_sample: pd.DataFrame, online_sample: pd.DataFrame) -> None:
    assert batch_sample.iloc[0].to_list() == online_sample.iloc[0].to_list()


def test_a_sample_with_identifier_and_label_fails(stand_in_path: Path, suite_path: Path) -> None:
    result = validate(read_csv(stand_in_path).head(3), load_suite(suite_path))
    assert [failed.expectation for failed in result.failed] == ["expect_table_columns_to_match_ordered_list"]


@pytest.mark.parametrize(
    ("value", "expectation"),
    [(-1.5, "expect_column_values_to_be_between"), (None, "expect_column_values_to_not_be_null")],
    ids=["out of range", "missing"],
)
def test_every_feature_of_a_sample_is_guarded(
    sample: pd.DataFrame, suite_path: Path, value: float | None, expectation: str
) -> None:
    broken = pd.concat([sample, pd.DataFrame([[value] * len(FEATURES)], columns=sample.columns, dtype="float64")])
    failed = validate(broken, load_suite(suite_path)).failed
    assert [each.column for each in failed if each.expectation == expectation] == list(FEATURES)
