import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.tables import UnreadableData, read_csv, read_request

ROWS = st.lists(st.tuples(st.integers(0, 999), st.integers(0, 999)), min_size=1, max_size=5)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "table"


@given(rows=ROWS)
def test_a_csv_file_reads_as_the_table_that_it_is(tmp_path_factory: pytest.TempPathFactory, rows: list[object]) -> None:
    path = tmp_path_factory.mktemp("csv") / "table"
    table = pd.DataFrame(rows, columns=["a", "b"])
    table.to_csv(path, index=False)
    pd.testing.assert_frame_equal(read_csv(path), table)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"a,b\n", "no rows below the header"),
        (b"a,b\n\n\n", "no rows below the header"),
        (b"a,b\n1,2\n3", "line 3 has 1 fields, the header 2; was the file cut short?"),
        (b"a,b\n1,2,3\n", "line 2 has 3 fields"),
        (b'a,b\n1,"2', "not a CSV table"),
        (b"a,b\n1,\xff\n", "not text in UTF-8"),
        (b"a,b,a\n1,2,3\n", "column 'a' is in the header twice"),
        (b"a,b\n1,x\0y\n", "line 2 holds a NUL character"),
    ],
)
def test_a_csv_file_that_is_no_whole_table_is_refused(file: Path, content: bytes, message: str) -> None:
    file.write_bytes(content)
    with pytest.raises(UnreadableData) as caught:
        read_csv(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert message in str(caught.value)


def test_a_csv_file_that_is_not_there_is_refused(file: Path) -> None:
    with pytest.raises(UnreadableData, match="No such file"):
        read_csv(file)


def test_empty_fields_and_blank_lines_are_read(file: Path) -> None:
    file.write_text("a,b\n1,\n\n,2\n")
    assert read_csv(file).isna().sum().to_dict() == {"a": 1, "b": 1}


def test_a_field_that_holds_a_line_break_is_no_short_line(file: Path) -> None:
    file.write_text('a,b\n1,"two\nlines"\n')
    assert read_csv(file).shape == (1, 2)


@given(rows=ROWS)
def test_both_forms_of_a_request_read_alike(tmp_path_factory: pytest.TempPathFactory, rows: list[object]) -> None:
    folder = tmp_path_factory.mktemp("requests")
    (folder / "plain").write_text(json.dumps({"input_data": rows}))
    (folder / "named").write_text(json.dumps({"input_data": {"columns": ["a", "b"], "data": rows}}))
    pd.testing.assert_frame_equal(read_request(folder / "plain", ["a", "b"]), read_request(folder / "named", ["x"]))


@given(rows=ROWS, data=st.data())
def test_a_request_cut_off_anywhere_is_refused(
    tmp_path_factory: pytest.TempPathFactory, rows: list[object], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("cut") / "request"
    whole = json.dumps({"input_data": rows})
    path.write_text(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(UnreadableData, match=r"the file is empty|cut short"):
        read_request(path, ["a", "b"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "a request is"),
        ('{"inputs": []}', "a request is"),
        ('{"input_data": 5}', "a request is"),
        ('{"input_data": {"data": []}}', "a request is"),
        ('{"input_data": []}', "input_data has no rows"),
        ('{"input_data": [[1, 2], [3]]}', r"row 2 of input_data: 2 values wanted \(a, b\)"),
        ('{"input_data": [5]}', "row 1 of input_data"),
    ],
)
def test_what_is_no_request_is_refused(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(UnreadableData, match=message):
        read_request(file, ["a", "b"])
