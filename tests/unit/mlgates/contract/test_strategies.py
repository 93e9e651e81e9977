"""What is drawn is valid, reaches as far as it may, and no further."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from mlgates.contract import strategies
from mlgates.contract.signature import Column, DataType, ModelContract, Param, Tensor, ValueRange, problem_of
from mlgates.contract.strategies import MAGNITUDE, batches, inputs, params, shaped, values
from tests.unit.mlgates.contract.models import few

OPTIONAL = Column("b", DataType.STRING, required=False)
TABLE = ModelContract((Column("a", DataType.DOUBLE), OPTIONAL))
WITH_PARAMS = ModelContract(
    (Column("a", DataType.DOUBLE),),
    params=(Param("one", DataType.LONG, 1), Param("some", DataType.LONG, [1], listed=True)),
)


T = TypeVar("T")


def first(strategy: SearchStrategy[T], condition: Callable[[T], bool]) -> T:
    """Draw until the condition holds; what is drawn is not made simpler, which takes seconds."""
    return find(strategy, condition, settings=settings(phases=[Phase.generate], max_examples=2000, deadline=None))


@pytest.mark.parametrize("data_type", DataType, ids=str)
@few
@given(data=st.data())
def test_a_value_is_of_its_type_and_none_is_beyond_the_magnitude(data_type: DataType, data: st.DataObject) -> None:
    value: Any = data.draw(values(data_type))
    assert problem_of(value, data_type) is None
    assert not data_type.number or abs(value) <= MAGNITUDE


@pytest.mark.parametrize("data_type", [DataType.INTEGER, DataType.LONG, DataType.FLOAT, DataType.DOUBLE], ids=str)
@pytest.mark.parametrize("bound", [-3, 5])
def test_numbers_reach_to_both_ends_of_their_range(data_type: DataType, bound: int) -> None:
    assert first(values(data_type, ValueRange(-3, 5)), lambda value: value == bound) == bound


@pytest.mark.parametrize("century", ["17", "22"])
def test_moments_are_of_all_the_centuries_that_a_model_can_hold(century: str) -> None:
    assert str(first(values(DataType.DATETIME), lambda moment: str(moment).startswith(century))).startswith(century)


@few
@given(data=st.data())
def test_no_number_is_outside_of_its_range(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from([DataType.LONG, DataType.DOUBLE]))
    value: Any = data.draw(values(kind, ValueRange(-3, 5)))
    assert -3 <= value <= 5


WHOLE = values(DataType.DOUBLE, ValueRange(0, 9, whole=True))


@pytest.mark.parametrize("written", [int, float])
def test_a_double_of_whole_numbers_is_written_in_both_ways(written: type) -> None:
    assert type(first(WHOLE, lambda value: type(value) is written)) is written


@given(WHOLE)
def test_a_double_of_whole_numbers_has_no_fraction(value: Any) -> None:
    assert float(value).is_integer()


@pytest.mark.parametrize("choice", ["x", "y"])
def test_a_choice_is_drawn_from(choice: str) -> None:
    chosen = values(DataType.STRING, ValueRange(values=("x", "y")))
    assert first(chosen, lambda value: value == choice) == choice


@pytest.mark.parametrize(
    ("dtype", "least", "most"),
    [
        ("int8", -128, 127),
        ("int16", -(2**15), 2**15 - 1),
        ("uint8", 0, 255),
        ("uint16", 0, 2**16 - 1),
        ("uint32", 0, MAGNITUDE),
        ("uint64", 0, MAGNITUDE),
        ("int32", None, None),
        ("int64", None, None),
        ("float32", None, None),
    ],
)
def test_a_tensor_holds_what_its_numpy_type_does(dtype: str, least: float | None, most: float | None) -> None:
    assert strategies._limits_of_dtype(dtype) == ValueRange(least, most)


@few
@given(data=st.data())
def test_a_tensor_is_of_its_shape_and_any_length_is_fixed(data: st.DataObject) -> None:
    drawn = data.draw(shaped(Tensor("t", DataType.LONG, (-1, 2, -1), "int64")))
    assert isinstance(drawn, Tensor)
    value: Any = data.draw(inputs(drawn))
    (rows, length) = drawn.row_shape
    assert (rows, 1 <= length <= 3) == (2, True)
    assert [len(row) for row in value] == [length, length]


@pytest.mark.parametrize("length", [1, 3])
def test_any_length_is_one_to_three(length: int) -> None:
    strategy = shaped(Tensor("t", DataType.LONG, (-1, -1), "int64"))
    found = first(strategy, lambda each: isinstance(each, Tensor) and each.row_shape == (length,))
    assert isinstance(found, Tensor)


@pytest.mark.parametrize("names", [("a",), ("a", "b")])
def test_an_optional_column_is_there_at_times(names: tuple[str, ...]) -> None:
    assert first(batches(TABLE), lambda batch: batch.names == names).names == names


@few
@given(batches(TABLE, max_rows=3, whole=True))
def test_a_whole_batch_has_every_column_and_no_more_rows_than_were_asked_for(batch: Any) -> None:
    assert batch.names == ("a", "b")
    assert 1 <= len(batch.rows) <= 3


def test_null_is_drawn_where_a_column_may_be_null() -> None:
    assert first(inputs(OPTIONAL), lambda value: value is None) is None


@pytest.mark.parametrize("names", [set(), {"one"}, {"some"}, {"one", "some"}], ids=str)
def test_any_choice_of_the_parameters_is_drawn(names: set[str]) -> None:
    assert first(params(WITH_PARAMS), lambda chosen: chosen.keys() == names).keys() == names


@pytest.mark.parametrize("length", [1, 3])
def test_a_listed_parameter_has_one_to_three_values(length: int) -> None:
    def has_it(chosen: Any) -> bool:
        return len(chosen.get("some", ())) == length

    assert has_it(first(params(WITH_PARAMS), has_it))
