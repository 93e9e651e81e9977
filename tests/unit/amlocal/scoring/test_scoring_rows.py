import csv
import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.scoring.returned import returned_lines
from amlocal.scoring.rows import prediction_lines


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
