import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.scaffold.columns import MOST, Kind
from mlgates.scaffold.errors import UnsuitableData
from tests.unit.mlgates.scaffold.tables import column_of, columns_of

SENTENCES = [f"the {letter} went home again" for letter in "abcdefghijkl"]
KINDS = {
    "whole numbers": ([1, 2, 3, 4], Kind.NUMBER),
    "fractions with a gap": ([1.5, None, 3.25], Kind.NUMBER),
    "true and false": ([True, False, True], Kind.BOOLEAN),
    "true and false with a gap": ([True, None, False], Kind.CATEGORY),
    "words": (["red", "blue", "red"], Kind.CATEGORY),
    "words and numbers": (["red", 5, "red"], Kind.CATEGORY),
    "codes with zeros in front": (["02134", "02135", "02134"], Kind.CATEGORY),
    "sentences": (SENTENCES, Kind.TEXT),
    "days": (["2024-01-31", "2024-02-29"], Kind.DATE),
    "moments with a gap": (["2024-01-31T12:00:00", None, "2024-02-29 01:02"], Kind.DATE),
    "days of the American kind": (["01/31/2024", "02/29/2024"], Kind.CATEGORY),
    "no days": (["2024-01-31", "2024-13-31"], Kind.CATEGORY),
    "names": ([f"name{number}" for number in range(30)], Kind.IDENTIFIER),
    "always the same": ([7, 7, 7], Kind.CONSTANT),
    "the same or nothing": (["a", None, "a"], Kind.CONSTANT),
    "nothing": ([None, None], Kind.CONSTANT),
}


@pytest.mark.parametrize(("values", "kind"), KINDS.values(), ids=KINDS.keys())
def test_a_column_is_what_its_values_tell(values: list[object], kind: Kind) -> None:
    assert column_of(*values).kind is kind


@pytest.mark.parametrize("name", ["id", "ID", "PatientID", "row_id", "Unnamed: 0", "rownames"])
def test_whole_numbers_that_name_the_rows_are_no_feature(name: str) -> None:
    assert column_of(*range(20), name=name).kind is Kind.IDENTIFIER


@pytest.mark.parametrize("name", ["acid", "grid", "paid", "humid"])
def test_a_word_that_ends_like_an_identifier_is_none(name: str) -> None:
    assert column_of(*range(20), name=name).kind is Kind.NUMBER


def test_unique_texts_under_no_name_are_the_names_of_rows() -> None:
    assert column_of(*SENTENCES, name="Unnamed: 0").kind is Kind.IDENTIFIER


def test_an_identifier_that_repeats_itself_is_a_number() -> None:
    assert column_of(1, 1, 2, name="id").kind is Kind.NUMBER


def test_infinite_numbers_are_refused_by_their_column() -> None:
    with pytest.raises(UnsuitableData, match="column 'x' holds infinite"):
        column_of(1.0, float("inf"), 2.0)


def test_more_columns_than_a_person_reads_are_refused() -> None:
    with pytest.raises(UnsuitableData, match="1001 columns"):
        columns_of(pd.DataFrame({f"c{number}": [0, 1] for number in range(MOST + 1)}))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, unique=True))
def test_numbers_are_numbers_whatever_their_size(values: list[float]) -> None:
    assert column_of(*values).kind is Kind.NUMBER
