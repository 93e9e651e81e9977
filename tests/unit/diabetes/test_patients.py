from collections.abc import Callable
from pathlib import Path
from random import Random

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diabetes import patients
from diabetes.errors import DataError
from diabetes.schema import FEATURE_COLUMNS, FEATURES, LABEL, Column
from tests.unit.diabetes import frames
from tests.unit.diabetes.frames import QUICK, valid_tables


@QUICK
@given(valid_tables(min_rows=2))
def test_a_valid_table_keeps_its_values(table: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(patients.check(table), table[[*FEATURES, LABEL]], check_dtype=False)


@QUICK
@given(valid_tables(min_rows=2), st.randoms(use_true_random=False))
def test_the_order_of_columns_and_extra_columns_do_not_matter(table: pd.DataFrame, random: Random) -> None:
    shuffled = list(table.columns)
    random.shuffle(shuffled)
    odd = table[shuffled].assign(Ward="B")
    pd.testing.assert_frame_equal(patients.check(odd), patients.check(table))


def test_features_become_floats_and_the_label_stays_whole(cohort: pd.DataFrame) -> None:
    assert list(patients.check(cohort).dtypes.astype(str)) == ["float64"] * 8 + ["int64"]


@pytest.mark.parametrize("name", [*FEATURES, LABEL])
def test_a_missing_column_is_named(cohort: pd.DataFrame, name: str) -> None:
    with pytest.raises(DataError, match=f"columns missing: {name}; found: PatientID"):
        patients.check(cohort.drop(columns=name))


@pytest.mark.parametrize("name", [*FEATURES, LABEL])
def test_a_missing_value_is_counted(cohort: pd.DataFrame, name: str) -> None:
    cohort[name] = cohort[name].where(cohort.index != 3)
    with pytest.raises(DataError, match=f"{name}: 1 of 200 values are missing"):
        patients.check(cohort)


def test_text_among_the_numbers_is_shown(cohort: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="BMI: numbers wanted, found object such as 'obese'"):
        patients.check(cohort.assign(BMI="obese"))


def test_a_table_without_rows_is_refused(cohort: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="no rows"):
        patients.check(cohort.head(0))


def test_a_label_beyond_0_and_1_is_refused(cohort: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"Diabetic: 200 of 200 values are no int64 from 0 to 1 \(class\)"):
        patients.check(cohort.assign(Diabetic=2))


def test_half_a_year_of_age_is_refused(cohort: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="Age: 200 of 200 values are no int64"):
        patients.check(cohort.assign(Age=45.5))


@pytest.mark.parametrize("column", FEATURE_COLUMNS, ids=lambda column: column.name)
@pytest.mark.parametrize("side", [-1, 1])
def test_a_value_just_out_of_range_is_found_in_its_row(cohort: pd.DataFrame, column: Column, side: int) -> None:
    edge = column.minimum if side < 0 else column.maximum
    cohort[column.name] = cohort[column.name].astype("float64").where(cohort.index != 17, edge + side)
    with pytest.raises(DataError, match=rf"{column.name}: 1 of 200 values .* in row 17; is the column in another unit"):
        patients.check(cohort)


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("PlasmaGlucose", 1 / 18.016),  # mmol/L
        ("DiastolicBloodPressure", 1 / 7.50062),  # kPa
        ("TricepsThickness", 1 / 10),  # cm
        ("SerumInsulin", 1 / 1000),  # U/L, or mu U/uL
        ("BMI", 10),
        ("BMI", 1 / 10),
        ("Age", 12),  # months
        ("Age", 365),  # days
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_column_in_a_foreign_unit_is_caught(name: str, factor: float, seed: int) -> None:
    table = frames.cohort(seed=seed)
    table[name] = table[name] * factor
    with pytest.raises(DataError, match=f"{name}: .*another unit"):
        patients.check(table)


def test_a_file_is_read(cohort: pd.DataFrame, tmp_path: Path) -> None:
    cohort.to_csv(tmp_path / "cohort.csv", index=False)
    pd.testing.assert_frame_equal(patients.read(tmp_path / "cohort.csv"), patients.check(cohort))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv: cannot be read \(No such file or directory\)"):
        patients.read(tmp_path / "nowhere.csv")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be read \(Is a directory\)"):
        patients.read(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00\x89PNG", b'a,b\n"1,2\n3,4\n'], ids=["empty", "binary", "open quote"]
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"odd\.csv: not a CSV table"):
        patients.read(tmp_path / "odd.csv")


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda line, first: line + ("" if first else ","), "line 2 has 11 fields, the header 10"),
        (
            lambda line, first: line.replace("Pregnancies", "Age") if first else line,
            "column 'Age' is in the header twice",
        ),
    ],
)
def test_what_pandas_would_read_as_something_else_is_refused(
    cohort: pd.DataFrame, tmp_path: Path, change: Callable[[str, bool], str], wrong: str
) -> None:
    lines = cohort.to_csv(index=False).splitlines()
    (tmp_path / "odd.csv").write_text("\n".join(change(line, not number) for number, line in enumerate(lines)))
    with pytest.raises(DataError, match=wrong):
        patients.read(tmp_path / "odd.csv")


def test_the_mark_that_excel_writes_is_no_part_of_a_name(cohort: pd.DataFrame, tmp_path: Path) -> None:
    cohort.to_csv(tmp_path / "cohort.csv", index=False, encoding="utf-8-sig")
    pd.testing.assert_frame_equal(patients.read(tmp_path / "cohort.csv"), patients.check(cohort))


def test_what_breaks_the_schema_names_the_file(cohort: pd.DataFrame, tmp_path: Path) -> None:
    cohort.assign(BMI=435.1).to_csv(tmp_path / "cohort.csv", index=False)
    with pytest.raises(DataError, match=r"cohort\.csv: BMI: 200 of 200 .* the first is 435\.1 in row 0"):
        patients.read(tmp_path / "cohort.csv")
