"""Every way in which the training set has been known to break, and the expectation or reader that says so."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from diabetes.schema import IDENTIFIER, LABEL
from mlgates import UnreadableData, load_suite, read_csv, validate
from tests.data.conftest import SUITES

Breaking = Callable[[pd.DataFrame], pd.DataFrame]


def scaled(column: str, factor: float) -> Breaking:
    return lambda table: table.assign(**{column: table[column] * factor})


def swapped(first: str, second: str) -> Breaking:
    return lambda table: table.assign(**{first: table[second], second: table[first]})


def put(column: str, value: object) -> Breaking:
    """Put a value into the first row."""
    return lambda table: table.assign(**{column: [value, *table[column].iloc[1:]]})


def twice(rows: int) -> Breaking:
    return lambda table: pd.concat([table, table.tail(rows)])


COLUMNS_MATCH = "expect_table_columns_to_match_ordered_list"
TYPE = "expect_column_values_to_be_of_type"
RANGE = "expect_column_values_to_be_between"
MEAN = "expect_column_mean_to_be_between"

BROKEN: dict[str, tuple[Breaking, str, str | None]] = {
    "column missing": (lambda table: table.drop(columns="BMI"), COLUMNS_MATCH, None),
    "column added": (lambda table: table.assign(Name="Ada"), COLUMNS_MATCH, None),
    "columns in another order": (lambda table: table[table.columns[::-1]], COLUMNS_MATCH, None),
    "text among numbers": (put("Age", "unknown"), TYPE, "Age"),
    "decimal comma": (
        lambda table: table.assign(BMI=table["BMI"].map("{:.2f}".format).str.replace(".", ",")),
        TYPE,
        "BMI",
    ),
    "fractions of whole numbers": (scaled("Age", 1.01), TYPE, "Age"),
    "a value missing": (put("BMI", None), "expect_column_values_to_not_be_null", "BMI"),
    "a patient without identifier": (put(IDENTIFIER, None), "expect_column_values_to_not_be_null", IDENTIFIER),
    "a value out of range": (put("Age", 212), RANGE, "Age"),
    "a third class": (put(LABEL, 2), "expect_column_values_to_be_in_set", LABEL),
    "glucose in mmol/L": (scaled("PlasmaGlucose", 1 / 18), RANGE, "PlasmaGlucose"),
    "pressure in kPa": (scaled("DiastolicBloodPressure", 1 / 7.5), RANGE, "DiastolicBloodPressure"),
    "skin fold in cm": (scaled("TricepsThickness", 0.1), RANGE, "TricepsThickness"),
    "insulin in pmol/L": (scaled("SerumInsulin", 6), MEAN, "SerumInsulin"),
    "age in months": (scaled("Age", 12), RANGE, "Age"),
    "pounds for kilograms in BMI": (scaled("BMI", 2.2), MEAN, "BMI"),
    "glucose and insulin swapped": (swapped("PlasmaGlucose", "SerumInsulin"), MEAN, "SerumInsulin"),
    "skin fold and age swapped": (swapped("TricepsThickness", "Age"), RANGE, "Age"),
    "skin fold and BMI swapped": (swapped("TricepsThickness", "BMI"), TYPE, "TricepsThickness"),
    "patients beyond the known share repeated": (
        twice(1),
        "expect_column_proportion_of_unique_values_to_be_between",
        IDENTIFIER,
    ),
    "a class grown": (lambda table: pd.concat([table, table[table[LABEL] == 1].head(1000)]), MEAN, LABEL),
    "label inverted": (lambda table: table.assign(**{LABEL: 1 - table[LABEL]}), MEAN, LABEL),
    "the second half missing": (lambda table: table.head(7500), "expect_table_row_count_to_be_between", None),
    "no rows": (lambda table: table.head(0), "expect_table_row_count_to_be_between", None),
}


@pytest.mark.parametrize(("broken", "expectation", "column"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_training_set_fails_with_the_expectation_named(
    stand_in_table: pd.DataFrame, tmp_path: Path, broken: Breaking, expectation: str, column: str | None
) -> None:
    # By way of the file: only then have the columns the types that a person's file gives them.
    broken(stand_in_table).to_csv(tmp_path / "broken.csv", index=False)
    result = validate(pd.read_csv(tmp_path / "broken.csv"), load_suite(SUITES / "training-set.json"))
    assert (expectation, column) in [(failed.expectation, failed.column) for failed in result.failed]


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (lambda content: b"", "the file is empty"),
        (lambda content: content[: content.index(b"\n")], "no rows below the header"),
        (lambda content: content[: content.rindex(b",", 0, len(content) // 2)], "was the file cut short?"),
    ],
    ids=["empty", "header alone", "cut off within a row"],
)
def test_a_file_that_is_no_whole_table_is_refused_by_the_reader(
    stand_in_path: Path, tmp_path: Path, cut: Callable[[bytes], bytes], message: str
) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_bytes(cut(stand_in_path.read_bytes()))
    with pytest.raises(UnreadableData) as caught:
        read_csv(broken)
    assert message in str(caught.value)
