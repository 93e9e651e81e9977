import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.serving.refusal import Refusal
from amlocal.serving.table import read_table
from amlocal.serving.values import RULES, Column, read_column, read_columns

SIGNATURE = [Column("a", "double"), Column("b", "long"), Column("c", "string")]
ROWS = st.lists(
    st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**63 - 1), st.text()).map(list),
    min_size=1,
    max_size=5,
)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.floats(width=32), st.sampled_from(["x", "YQ==", "2026-01-01"])
)


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return list(one) == list(other) and all((one[name] == other[name]).all() for name in one)


@given(ROWS, st.permutations(["a", "b", "c"]))
def test_every_format_and_order_of_columns_gives_the_same_table(rows: list[list[Any]], order: list[str]) -> None:
    records = [dict(zip(["a", "b", "c"], row, strict=True)) for row in rows]
    split = {"columns": order, "data": [[record[name] for name in order] for record in records]}
    table = read_table(rows, SIGNATURE)
    assert same(table, read_table(split, SIGNATURE))
    assert same(table, read_table([{name: record[name] for name in order} for record in records], SIGNATURE))


@given(ROWS)
def test_values_are_kept_to_the_last_bit(rows: list[list[Any]]) -> None:
    table = read_table(json.loads(json.dumps(rows)), SIGNATURE)
    assert [list(row) for row in zip(*(table[name].tolist() for name in "abc"), strict=True)] == rows


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ([[1.0, 2]], "'c' is missing"),
        ([[1.0, 2, "x", 4]], "4 values for 3 columns"),
        ([{"a": 1.0, "b": 2}], "'c' is missing"),
        ([{"a": 1.0, "b": 2, "c": "", "d": 1}], "'d'"),
        ([{"a": 1.0, "b": 2, "c": ""}, {"a": 1.0, "b": 2}], "'c', row 1"),
        ({"columns": ["a", "b", "b"], "data": [[1, 2, 3]]}, "'b' is there twice"),
        ({"columns": ["a", "b", "x"], "data": [[1, 2, 3]]}, "'x'"),
        ({"columns": ["a", "b", "c"], "data": [[1, 2]]}, "'c' is missing"),
        ({"columns": ["a", "b", "c"], "data": [[1, 2, ""]], "index": [0, 1]}, "'index'"),
        ({"a": [1], "b": [2], "c": [""]}, "'input_data'"),
        ({"columns": ["a", "b", "c"], "data": []}, "'data'"),
        ([], "no row"),
        ([1, 2, "x"], "row 0"),
        ("x", "'input_data'"),
        (None, "'input_data'"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_by_the_name_of_what_is_wrong(data: Any, field: str) -> None:
    with pytest.raises(Refusal, match=field):
        read_table(data, SIGNATURE)


def outcome(read: Callable[[], dict[str, np.ndarray]]) -> object:
    """What came of reading: the columns as plain values with their types, or the refusal's text."""
    try:
        return {name: (found.dtype, found.astype(object).astype(str).tolist()) for name, found in read().items()}
    except Refusal as refusal:
        return str(refusal)


@given(st.sampled_from(list(RULES)), st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=3), st.booleans())
def test_columns_are_read_together_as_they_are_one_by_one(kind: str, rows: list[Any], required: bool) -> None:
    columns = [Column("a", kind), Column("b", kind, required)]
    values = dict(zip("ab", map(list, zip(*rows, strict=True)), strict=True))
    together = outcome(lambda: read_columns(columns, values))
    assert together == outcome(lambda: {one.name: read_column(one, values[one.name]) for one in columns})


def test_lists_may_lack_optional_columns_at_the_end() -> None:
    signature = [Column("a", "double"), Column("b", "long", required=False)]
    assert [list(read_table(rows, signature)) for rows in ([[1.0]], [[1.0, 2]])] == [["a"], ["a", "b"]]


def test_an_optional_column_may_be_left_out() -> None:
    assert list(read_table([{"a": 1.0}], [Column("a", "double"), Column("b", "long", required=False)])) == ["a"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *(("double", value) for value in ("1", True, math.nan, math.inf, 10**400, None)),
        *(("float", value) for value in (1e300, "1", False, None)),
        *(("long", value) for value in (1.5, 2**63, True, "1", math.inf, math.nan, None)),
        *(("integer", value) for value in (1.5, 2**31, -(2**31) - 1, True, None)),
        *(("boolean", value) for value in (0, 1, "true", None)),
        *(("string", value) for value in (1, True, None)),
        *(("binary", value) for value in ("é", "a", 1, None)),
        *(("datetime", value) for value in ("soon", "", 5, None)),
        *(("datetime", value) for value in ("2026-01-01T00:00:00Z", "now", "5", "3000-01-01", "2026-02-30")),
    ],
)
def test_a_value_of_another_kind_is_refused_by_column_and_row(kind: str, value: Any) -> None:
    good = {"string": "x", "binary": "YQ==", "datetime": "2026-01-01", "boolean": True}.get(kind, 1)
    with pytest.raises(Refusal, match="Column 'x', row 1"):
        read_column(Column("x", kind), [good, value])


@pytest.mark.parametrize("kind", ["double", "float", "long", "integer"])
def test_a_whole_number_may_be_written_with_a_point(kind: str) -> None:
    assert read_column(Column("x", kind), [21, 21.0]).tolist() == [21, 21]


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-01-31", "2026-01-31T00:00:00.000000000"),
        ("1700-01-01 12:30", "1700-01-01T12:30:00.000000000"),
        ("2200-12-31T23:59:59.123456789", "2200-12-31T23:59:59.123456789"),
    ],
)
def test_a_moment_is_kept_to_the_nanosecond(value: str, moment: str) -> None:
    assert str(read_column(Column("x", "datetime"), [value])[0]) == moment


@pytest.mark.parametrize("kind", [kind for kind, rule in RULES.items() if rule.null is not ...])
def test_null_stands_for_an_absent_value_in_an_optional_column(kind: str) -> None:
    found = read_column(Column("x", kind, required=False), [None]).tolist()[0]
    assert found is None or found != found  # noqa: PLR0124 - NaN
