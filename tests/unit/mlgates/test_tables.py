import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.tables import UnreadableData, read_csv, read_request, read_table

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


class TestReadTable:
    TABLE = pd.DataFrame({"zip": ["02134", "10001"], "n": [1, 2], "note": ["a, b", "c;\nd"]})

    @staticmethod
    def written(folder: Path, name: str, table: pd.DataFrame) -> Path:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if ".parquet" in name:
            table.to_parquet(file)
        elif ".jsonl" in name:
            table.to_json(file, orient="records", lines=True)
        else:
            table.to_csv(file, index=False, sep="\t" if ".tsv" in name else ",")
        return file

    @pytest.mark.parametrize("name", ["t.csv", "t.CSV", "t.csv.gz", "t.tsv", "t.parquet", "t.jsonl", "t.jsonl.gz", "t"])
    def test_a_table_is_the_same_in_any_form(self, tmp_path: Path, name: str) -> None:
        file = self.written(tmp_path, name, self.TABLE)
        pd.testing.assert_frame_equal(read_table(file, ["zip"]), self.TABLE)

    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    @given(cells=st.lists(st.tuples(st.text("ab,;|\t \"'", max_size=4), st.integers(0, 9)), min_size=1, max_size=8))
    def test_any_delimiter_is_recognised(self, delimiter: str, cells: list[tuple[str, int]]) -> None:
        table = pd.DataFrame([(f"x{text}", number) for text, number in cells], columns=["one", "two"])
        with TemporaryDirectory() as folder:
            file = Path(folder, "t.csv")
            table.to_csv(file, index=False, sep=delimiter)
            pd.testing.assert_frame_equal(read_table(file), table)

    def test_without_a_word_a_column_of_digits_is_numbers(self, tmp_path: Path) -> None:
        file = self.written(tmp_path, "t.csv", self.TABLE)
        assert read_table(file)["zip"].tolist() == [2134, 10001]

    @pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet", "jsonl"])
    def test_a_folder_is_read_as_one_table_in_the_order_of_its_names(self, tmp_path: Path, ending: str) -> None:
        for number in (2, 1):
            self.written(tmp_path, f"year=202{number}/part.{ending}", self.TABLE.assign(n=number))
        (tmp_path / "_SUCCESS").touch()
        (tmp_path / "README.md").write_text("none of it")
        assert read_table(tmp_path, ["zip"])["n"].tolist() == [1, 1, 2, 2]

    def test_files_of_other_columns_are_named(self, tmp_path: Path) -> None:
        self.written(tmp_path, "a.csv", self.TABLE)
        self.written(tmp_path, "b.csv", self.TABLE.rename(columns={"n": "m"}))
        with pytest.raises(UnreadableData, match=r"b\.csv: its columns are not those of .*a\.csv: m, n"):
            read_table(tmp_path)

    def test_an_mltable_names_its_files_and_columns(self, tmp_path: Path) -> None:
        self.written(tmp_path, "data/a.csv", self.TABLE).rename(tmp_path / "data" / "a.data")
        (tmp_path / "MLTable").write_text(
            "type: mltable\npaths:\n- pattern: ./data/*.data\ntransformations:\n"
            "- read_delimited: {delimiter: ',', encoding: utf8}\n- drop_columns: [note]\n"
        )
        assert read_table(tmp_path, ["zip"]).to_dict("list") == {"zip": ["02134", "10001"], "n": [1, 2]}

    @pytest.mark.parametrize(
        ("declared", "wrong"),
        [
            ("paths: [", "not YAML"),
            ("type: mltable", "an MLTable has a list of 'paths'"),
            ("paths: [{file: ../outside.csv}]", "names no file below its folder"),
            ("paths: [{file: 'https://x/a.csv'}]", "names no file below its folder"),
            ("paths: [{file: a.csv}]\ntransformations: [{filter: x}]", "the transformation 'filter' is not read here"),
            ("paths: [{pattern: '/etc/*.csv'}]", "names no file below its folder"),
            ("paths: [{pattern: '**x.csv'}]", "names no file below its folder"),
            ("paths: [{file: a.csv}]\ntransformations: 5", "'transformations' is a list"),
            ("paths: [{file: a.csv}]\ntransformations: [{keep_columns: [gone]}]", "keep_columns names gone"),
            (
                "paths: [{file: a.csv}]\ntransformations: [{read_delimited: {header: no_header}}]",
                "every file must have a header",
            ),
            ("paths: [{file: a.csv}]\ntransformations: [{read_delimited: {skip: 1}}]", "the option 'skip'"),
        ],
    )
    def test_an_mltable_that_asks_for_more_is_refused(self, tmp_path: Path, declared: str, wrong: str) -> None:
        inside = tmp_path / "inside"
        self.written(inside, "a.csv", self.TABLE)
        self.written(tmp_path, "outside.csv", self.TABLE)
        (inside / "MLTable").write_text(declared)
        with pytest.raises(UnreadableData, match=wrong):
            read_table(inside)

    @pytest.mark.parametrize(
        ("name", "content", "wrong"),
        [
            ("t.csv", b"a,b\n1,2,\n3,4,\n", "line 2 has 3 fields, the header 2"),
            ("t.csv", b"a,a\n1,2\n", "column 'a' is in the header twice"),
            ("t.csv.gz", b"a,b\n1,2\n", "not packed by gzip"),
            ("t.parquet", b"PAR1 cut", "not Parquet, or cut short"),
            ("t.jsonl", b'{"a": 1}\n[1]\n', "line 2 is no object"),
            ("t.jsonl", b'{"a": 1', "not JSON, or cut short"),
            ("t.xlsx", b"PK", "a table's name ends with one of"),
        ],
    )
    def test_what_is_no_table_is_named(self, tmp_path: Path, name: str, content: bytes, wrong: str) -> None:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UnreadableData, match=wrong):
            read_table(tmp_path / name)

    def test_a_folder_without_tables_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableData, match="no file in it is a table"):
            read_table(tmp_path)

    def test_what_lies_beside_the_data_is_no_part_of_it(self, tmp_path: Path) -> None:
        self.written(tmp_path, "data.csv", self.TABLE)
        self.written(tmp_path, ".ipynb_checkpoints/data-checkpoint.csv", self.TABLE)
        (tmp_path / "README.txt").write_text("a note")
        assert len(read_table(tmp_path)) == 2

    def test_a_long_column_is_of_one_type(self, tmp_path: Path) -> None:
        table = pd.DataFrame({f"c{number}": 0.123456789 for number in range(20)}, index=range(140_000))
        table["label"] = ["1", "2"] * 69_999 + ["x", "x"]
        found = read_table(self.written(tmp_path, "t.csv", table))
        assert {type(value) for value in found["label"].unique()} == {str}

    def test_texts_may_be_long_and_hold_separators_of_lines(self, tmp_path: Path) -> None:
        table = self.TABLE.assign(note=["x" * 200_000, "a\u2028b\u0085c"])
        for name in ("t.csv", "t.jsonl"):
            pd.testing.assert_frame_equal(read_table(self.written(tmp_path, name, table), ["zip"]), table)

    def test_a_damaged_archive_is_named(self, tmp_path: Path) -> None:
        file = self.written(tmp_path, "t.csv.gz", self.TABLE)
        content = bytearray(file.read_bytes())
        content[-20] ^= 0xFF
        file.write_bytes(content)
        with pytest.raises(UnreadableData, match="not packed by gzip, or cut short"):
            read_table(file)
