"""A table in any form goes into a project as CSV parted by commas, with nothing lost."""

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from mlgates.core.errors import ConfigurationError
from mlgates.scaffold.columns import Kind
from mlgates.scaffold.making import check_place, read_table
from mlgates.scaffold.rendering import python_module_of

FRAME = pd.DataFrame({"zip": ["02134", "02135", "02134"], "größe": [1.5, None, 2.5], "y": [True, False, True]})
COMMAS = FRAME.to_csv(index=False).encode()
FORMS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "commas": ("t.csv", lambda: COMMAS),
    "semicolons": ("t.csv", lambda: FRAME.to_csv(index=False, sep=";").encode()),
    "tabs": ("t.tsv", lambda: FRAME.to_csv(index=False, sep="\t").encode()),
    "a mark at its beginning": ("t.csv", lambda: b"\xef\xbb\xbf" + COMMAS),
    "gzip": ("t.csv.gz", lambda: gzip.compress(COMMAS)),
    "Parquet": ("t.parquet", lambda: FRAME.to_parquet(None)),
    "JSON lines": ("t.jsonl", lambda: FRAME.to_json(orient="records", lines=True).encode()),
}


@pytest.mark.parametrize(("name", "content"), FORMS.values(), ids=FORMS.keys())
def test_a_table_of_any_form_is_the_same_table(tmp_path: Path, name: str, content: Callable[[], bytes]) -> None:
    (tmp_path / name).write_bytes(content())
    table = read_table(tmp_path / name)
    kept = pd.read_csv(io.BytesIO(table.content), dtype={"zip": str}, encoding="utf-8-sig")
    pd.testing.assert_frame_equal(kept, FRAME)
    assert [column.kind for column in table.columns] == [Kind.CATEGORY, Kind.NUMBER, Kind.BOOLEAN]


def test_a_table_that_is_csv_already_is_kept_byte_for_byte(tmp_path: Path) -> None:
    content = b'a,y\r\n"1",0\r\n2.50,1\r\n'
    (tmp_path / "t.csv").write_bytes(content)
    assert read_table(tmp_path / "t.csv").content == content


def test_an_empty_folder_is_a_place_for_a_project(tmp_path: Path) -> None:
    check_place(tmp_path)
    check_place(tmp_path / "new")
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="is there already"):
        check_place(tmp_path)


@pytest.mark.parametrize(
    ("name", "package"), [("Happy orders", "happy_orders"), ("größe-1", "gr__e_1"), ("_x_", "x"), ("a.b", "a_b")]
)
def test_a_package_is_named_after_the_project(name: str, package: str) -> None:
    assert python_module_of(name) == package


@pytest.mark.parametrize("name", ["", "日本", "1st", "json", "pandas", "mlgates", "tests", "---"])
def test_a_name_that_can_be_no_package_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="--name"):
        python_module_of(name)
