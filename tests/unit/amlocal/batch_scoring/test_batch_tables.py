"""Tables read in chunks, and the lines that predictions become."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amlocal.batch_scoring.batch_job import UnreadableFile
from amlocal.batch_scoring.script_scorer import returned_lines
from amlocal.batch_scoring.tables import Columns, chunks, prediction_lines

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
def test_text_where_a_number_belongs_names_its_column(tmp_path: Path, suffix: str) -> None:
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
def test_a_broken_table_is_refused_with_the_reason(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "rows.csv").write_text(content)
    with pytest.raises((ValueError, UnreadableFile), match=reason):
        list(chunks(tmp_path / "rows.csv", Columns({"a": "double"})))


def parsed(lines: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(lines.decode(), newline="")))


@given(st.lists(st.floats(allow_nan=False)), st.integers(0, 10**9), st.text("ab, \"'\r\n/", min_size=1))
def test_a_line_holds_row_prediction_and_file(values: list[float], first: int, file: str) -> None:
    found = parsed(prediction_lines(np.array(values), first_row=first, file=file))
    assert [(int(row), float(value), name) for row, value, name in found] == [
        (first + place, value, file) for place, value in enumerate(values)
    ]


@given(st.lists(st.text("ab,\"' ", min_size=1)))
def test_predictions_that_are_texts_are_quoted_where_they_must_be(values: list[str]) -> None:
    found = parsed(prediction_lines(np.array(values, dtype=object), first_row=0, file="f"))
    assert [value for _, value, _ in found] == values


@given(st.lists(st.integers(-5, 5), max_size=9), st.integers(0, 9))
def test_the_lines_of_parts_are_the_lines_of_the_whole(values: list[int], cut: int) -> None:
    whole = np.array(values, dtype=np.int64)
    parts = prediction_lines(whole[:cut], first_row=0, file="f") + prediction_lines(
        whole[cut:], first_row=len(whole[:cut]), file="f"
    )
    assert parts == prediction_lines(whole, first_row=0, file="f")


@pytest.mark.parametrize(
    ("predictions", "expected"),
    [
        pytest.param(np.array([[0.25, 0.75]]), [0.25, 0.75], id="an array of two dimensions"),
        pytest.param(pd.DataFrame({"no": [0.25], "yes": [0.75]}), {"no": 0.25, "yes": 0.75}, id="several columns"),
        pytest.param([{"label": "x"}], {"label": "x"}, id="a list of objects"),
    ],
)
def test_a_prediction_of_several_values_is_json(predictions: Any, expected: Any) -> None:
    ((_, value, _),) = parsed(prediction_lines(predictions, first_row=0, file="f"))
    assert json.loads(value) == expected


@pytest.mark.parametrize(
    "predictions", [pd.Series([7], index=[3]), pd.DataFrame({"p": [7]}), [7], np.array([7], dtype=np.int8)]
)
def test_every_container_of_one_value_a_row_reads_the_same(predictions: Any) -> None:
    assert prediction_lines(predictions, first_row=0, file="f") == b"0,7,f\n"


def test_a_script_s_frame_is_written_with_spaces_between_and_no_header() -> None:
    assert returned_lines(pd.DataFrame({"file": ["a.png", "b.png"], "p": [0.5, 1.0]})) == b"a.png 0.5\nb.png 1.0\n"


def test_a_script_s_list_is_written_line_by_line() -> None:
    assert returned_lines(["a.png: cat", {"b": 1}]) == b"a.png: cat\n{'b': 1}\n"
