"""What JSON values are of which type, and when two answers agree."""

import pytest

from mlgates.contract.signature import DataType, json_type, problem_of, same
from mlgates.endpoint_client import Json


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (1, 1, True),
        (1, True, False),
        (0.1 + 0.2, 0.3, True),
        (0.3, 0.4, False),
        (1.0, 1, True),
        (1.0, "1.0", False),
        ([1, [0.3]], [1, [0.1 + 0.2]], True),
        ([1], [1, 2], False),
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"b": 1}, False),
    ],
)
def test_answers_agree_but_for_the_last_bits(one: Json, other: Json, alike: bool) -> None:
    assert same(one, other) == alike


@pytest.mark.parametrize(
    ("value", "data_type", "problem"),
    [
        (2.0, DataType.LONG, None),
        (2**31, DataType.INTEGER, "is out of range: -2147483648 to 2147483647"),
        (1e39, DataType.FLOAT, "is out of range: at most 3.40282e+38 either way"),
        (10**400, DataType.DOUBLE, "is out of range: at most 1.79769e+308 either way"),
        ("no%base64", DataType.BINARY, "is not base64"),
        (1, DataType.BOOLEAN, "is a number, and true or false is required"),
        ({}, DataType.STRING, "is an object, and text is required"),
    ],
)
def test_a_value_is_of_a_type_or_the_reason_is_reported(
    value: object, data_type: DataType, problem: str | None
) -> None:
    assert problem_of(value, data_type) == problem


@pytest.mark.parametrize("text", ["now", "2024", "5", "2024-02-30", "2024-01-01T00:00:00Z", "3000-01-01", "1677-01-01"])
def test_a_moment_that_a_model_would_get_as_another_is_none(text: str) -> None:
    assert "without time zone, of the years 1678 to 2261" in str(problem_of(text, DataType.DATETIME))


@pytest.mark.parametrize("text", ["2024-02-29", "1678-01-01 00:00", "2261-12-31T23:59:59.999999999"])
def test_a_date_may_have_a_time_to_the_nanosecond(text: str) -> None:
    assert problem_of(text, DataType.DATETIME) is None


def test_null_is_called_by_its_name() -> None:
    assert json_type(None) == "null"
