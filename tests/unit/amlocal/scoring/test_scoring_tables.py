from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amlocal.scoring.errors import UnreadableFile
from amlocal.scoring.tables import Columns, chunks

NUMBERS = Columns({"a": "double", "b": "long", "c": "string"})
rows = st.lists(
    st.tuples(
        st.floats(allow_nan=False, allow_infinity=False, width=32),
        st.integers(-(2**53), 2**53),
        st.text("xyzäß ,\"'", min_size=1).filter(lambda text: text.strip() == text and text not in ('"', "''")),
    ),
    min_size=1,
    max_size=12,
)
shared_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def write(frame: pd.DataFrame, file: Path) -> Path:
    if file.suffix == ".csv":
        frame.to_csv(file, index=False)
    elif file.suffix == ".parquet":
        frame.to_parquet(file)
    else:
        frame.to_json(file, orient="records", lines=True, double_precision=15)
    return file


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
@given(content=rows, size=st.integers(1, 5))
@shared_folder
def test_any_chunking_gives_the_same_rows_in_the_same_order(
    tmp_path: Path, suffix: str, content: list[tuple[float, int, str]], size: int
) -> None:
    frame = pd.DataFrame(content, columns=["a", "b", "c"])
    file = write(frame, tmp_path / f"rows{suffix}")
    found = pd.concat(chunks(file, NUMBERS, rows=size), ignore_index=True)
    pd.testing.assert_frame_equal(found, frame)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_whole_numbers_are_read_as_the_signature_s_doubles(tmp_path: Path, suffix: str) -> None:
    file = write(pd.DataFrame({"a": [1, 2]}), tmp_path / f"rows{suffix}")
    (found,) = chunks(file, Columns({"a": "double"}))
    assert found["a"].dtype == np.float64


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_a_missing_column_is_named(tmp_path: Path, suffix: str) -> None:
    file = write(pd.DataFrame({"x": [1]}), tmp_path / f"rows{suffix}")
    with pytest.raises(UnreadableFile, match="the column 'a' is missing"):
        list(chunks(file, Columns({"a": "double"})))


def test_an_optional_column_may_be_missing_and_a_strange_one_is_left_out(tmp_path: Path) -> None:
    file = write(pd.DataFrame({"a": [1.0], "strange": [2]}), tmp_path / "rows.csv")
    (found,) = chunks(file, Columns({"a": "double", "b": "double"}, frozenset({"b"})))
    assert list(found.columns) == ["a"]


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_a_fraction_is_not_cut_down_to_a_whole_number(tmp_path: Path, suffix: str) -> None:
    file = write(pd.DataFrame({"a": [1.5]}), tmp_path / f"rows{suffix}")
    with pytest.raises(UnreadableFile, match="not of type long"):
        list(chunks(file, Columns({"a": "long"})))


def test_text_where_a_number_belongs_fails(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a\nnone of it\n")
    with pytest.raises(ValueError, match="could not convert string to float"):
        list(chunks(tmp_path / "rows.csv", Columns({"a": "double"})))


def test_without_a_signature_a_table_is_read_as_it_is(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    (found,) = chunks(write(frame, tmp_path / "rows.csv"), Columns({}))
    pd.testing.assert_frame_equal(found, frame)


def test_a_file_of_another_type_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="File type 'txt' is not supported"):
        list(chunks(tmp_path / "rows.txt", NUMBERS))


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_moments_are_read_as_such(tmp_path: Path, suffix: str) -> None:
    file = write(pd.DataFrame({"a": ["2026-01-02T03:04:05"]}), tmp_path / f"rows{suffix}")
    (found,) = chunks(file, Columns({"a": "datetime"}))
    assert found["a"].tolist() == [pd.Timestamp("2026-01-02T03:04:05")]


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_text_where_a_number_belongs_is_told_by_its_column(tmp_path: Path, suffix: str) -> None:
    file = write(pd.DataFrame({"a": ["none of it"]}), tmp_path / f"rows{suffix}")
    with pytest.raises(UnreadableFile, match="the column 'a' cannot be read as double"):
        list(chunks(file, Columns({"a": "double"})))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "No columns to parse"),
        ('a,b\n"1,2\n', "EOF inside string"),
        ("a,b\n1,2\n1,2,3\n", "Expected 2 fields in line 3, saw 3"),
        ("a,b\n1,2,3\n4,5,6\n", "its rows hold more values than its header has columns"),
        ("b\n1\n", "the column 'a' is missing"),
    ],
)
def test_a_broken_table_is_told_from_a_whole_one(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "rows.csv").write_text(content)
    with pytest.raises((ValueError, UnreadableFile), match=reason):
        list(chunks(tmp_path / "rows.csv", Columns({"a": "double"})))
