"""A tensor is what JSON says, or refused with its name: NumPy alone would guess, cut and round."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.online_scoring.signature import InvalidRequest, Tensor, read_tensors

NUMBERS = st.integers(-(2**63), 2**63 - 1)


def tensor(dtype: str, *shape: int, name: str | None = None) -> Tensor:
    return Tensor(name, np.dtype(dtype), shape)


@given(st.lists(st.lists(NUMBERS, min_size=2, max_size=2), min_size=1, max_size=4))
def test_whole_numbers_are_kept_to_the_last_digit(data: list[list[int]]) -> None:
    read = read_tensors(data, [tensor("int64", -1, 2)])
    assert isinstance(read, np.ndarray)
    assert (read.tolist(), str(read.dtype)) == (data, "int64")


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("float32", 1.5), ("float64", 2), ("uint8", 255), ("uint8", 3.0), ("int64", 2**53 + 1),
        ("bool", True), ("object", "text"), ("str", "text"),
    ],
)  # fmt: skip
def test_a_value_of_the_type_is_taken(dtype: str, value: Any) -> None:
    assert np.asarray(read_tensors([value], [tensor(dtype, -1)])).tolist() == [value]


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        *(("float32", value) for value in (True, "1", None, float("nan"), float("inf"), 1e39, 10**400)),
        *(("uint8", value) for value in (256, -1, 2.5, True, "1", float("nan"), float("inf"), 10**400)),
        *(("int64", value) for value in (2**63, 1e300)),
        *(("bool", value) for value in (1, "true", None)),
        *(("object", value) for value in (1, True, None)),
    ],
)
def test_a_value_of_another_type_is_refused_by_the_name_of_the_tensor(dtype: str, value: Any) -> None:
    good: Any = {"bool": True, "object": "text"}.get(dtype, 1)
    with pytest.raises(InvalidRequest, match=f"Tensor 'x' holds values that are not {dtype}"):
        read_tensors({"x": [good, value]}, [tensor(dtype, -1, name="x")])


@pytest.mark.parametrize("data", [[[1, 2], [3]], [[[1, 2]], [3]], [1, 2], 3, "text", None, {}, [[[1, 2]]], [[1, 2, 3]]])
def test_another_shape_is_refused(data: Any) -> None:
    with pytest.raises(InvalidRequest, match="'input_data' has the shape"):
        read_tensors(data, [tensor("float64", -1, 2)])


def test_a_length_may_be_any_and_none() -> None:
    assert np.asarray(read_tensors([[], []], [tensor("uint8", -1, -1)])).shape == (2, 0)


def test_no_row_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="is empty"):
        read_tensors([], [tensor("float64", -1)])


@pytest.mark.parametrize(
    ("data", "why"), [([1], "by name: a, b"), ({"a": [1]}, "'b' is missing"), ({"a": [1], "c": [1]}, "'c' is not")]
)
def test_tensors_with_names_are_sent_by_name(data: Any, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        read_tensors(data, [tensor("int64", -1, name="a"), tensor("int64", -1, name="b")])
