from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diabetes_dataset import origin
from diabetes_dataset.errors import DatasetError
from diabetes_dataset.origin import Kind, Origin

ORIGINS = st.builds(
    Origin,
    origin=st.sampled_from(Kind),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    rows=st.integers(0),
    generator_version=st.none() | st.integers(1),
)


@given(ORIGINS)
def test_a_record_reads_back_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, kept: Origin) -> None:
    dataset = tmp_path_factory.mktemp("origin") / "diabetes.csv"
    origin.record_of(dataset).write_text(kept.to_json())
    assert origin.read(dataset) == kept


@given(st.integers(0, 50), st.sampled_from([b"", b"\n"]))
def test_rows_are_counted_without_the_header(rows: int, end: bytes) -> None:
    assert origin.of(b"\n".join([b"a,b", *[b"1,2"] * rows]) + end, Kind.FILE).rows == rows


def test_an_empty_file_has_no_rows() -> None:
    assert origin.of(b"", Kind.FILE).rows == 0


def test_the_record_lies_next_to_the_data() -> None:
    assert origin.record_of(Path("data/diabetes.csv")) == Path("data/diabetes.origin.json")


def test_without_a_record_the_origin_is_unknown(tmp_path: Path) -> None:
    assert origin.read(tmp_path / "diabetes.csv") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"origin": "moon"}', '{"origin": "file", "size": 3}'])
def test_a_broken_record_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "diabetes.origin.json").write_text(text)
    with pytest.raises(DatasetError, match=r"diabetes\.origin\.json: not a record of origin"):
        origin.read(tmp_path / "diabetes.csv")
