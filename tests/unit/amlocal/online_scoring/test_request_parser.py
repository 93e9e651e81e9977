"""A request that means nothing, or something that nobody asked, is refused before the model sees it."""

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.online_scoring.link import ScoringRequest
from amlocal.online_scoring.request_parser import parse_request, read_params, read_table
from amlocal.online_scoring.signature import (
    TYPE_RULES,
    Column,
    InvalidRequest,
    Param,
    Signature,
    Tensor,
    read_column,
    read_columns,
)

# MLflow says so of its own type hints, when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning")

JSON = "application/json"
TABLE = Signature(columns=[Column("a", "double")])
GOOD = b'{"input_data": [[1.0]]}'


@pytest.mark.parametrize("kind", [JSON, "Application/JSON", f"{JSON}; charset=utf-8", f'{JSON};charset="UTF-8"'])
def test_json_in_utf_8_is_taken_however_it_is_spelled(kind: str) -> None:
    assert parse_request(ScoringRequest(1, GOOD, kind), TABLE).rows == 1


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "text/csv", "application/jsonp", f"{JSON}; charset=utf-16", f"{JSON}; charset=latin-1"]
)
def test_another_content_type_is_named_and_unsupported(kind: str) -> None:
    with pytest.raises(InvalidRequest, match="Content-Type") as refused:
        parse_request(ScoringRequest(1, GOOD, kind), TABLE)
    assert refused.value.status == 415


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (GOOD[:-1], "not JSON"),
        (b'{"input_data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (GOOD.decode().encode("utf-16"), "not UTF-8"),
        (b'{"input_data": "\xff"}', "not UTF-8"),
        (b"[[1.0]]", "input_data"),
        (b'{"dataframe_split": [[1.0]]}', "input_data"),
        (b'{"input_data": [[1.0]], "verbose": true}', "'verbose'"),
        (b'{"input_data": [[1.0]], "params": [1]}', "'params'"),
        (b'{"input_data": [[1.0]], "params": {"n": 1}}', "'n'"),
        (b'{"input_data": {"columns": ["a"], "data": []}}', "'data' of 'input_data' holds no row"),
    ],
)
def test_what_is_wrong_with_a_body_is_named(body: bytes, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why) as refused:
        parse_request(ScoringRequest(1, body, JSON), TABLE)
    assert refused.value.status == 400


def test_a_model_without_signature_is_asked_as_the_request_has_it() -> None:
    asked = parse_request(ScoringRequest(1, json.dumps({"input_data": [{"b": 1, "a": 2}]}).encode(), JSON), Signature())
    assert asked.data.to_dict(orient="records") == [{"b": 1, "a": 2}]


@pytest.mark.parametrize("data", [{"columns": ["a"], "data": [[1, 2]]}, [[1], [2, 3]], {"columns": "a", "data": 1}])
def test_a_table_that_no_signature_checks_must_still_be_one(data: object) -> None:
    with pytest.raises(InvalidRequest, match="'input_data' is not a table"):
        parse_request(ScoringRequest(1, json.dumps({"input_data": data}).encode(), JSON), Signature())


def test_a_tensor_is_read_as_its_signature_says() -> None:
    import numpy as np  # noqa: PLC0415

    signature = Signature(tensors=[Tensor(None, np.dtype("float64"), (-1, 2))])
    assert parse_request(ScoringRequest(1, b'{"input_data": [[1, 2]]}', JSON), signature).data.tolist() == [[1.0, 2.0]]


SPLIT_ONLY = Signature(columns=[Column("a", "double"), Column("b", "double")], split_only=True)


@pytest.mark.parametrize(
    "data",
    [
        [[1.0, 2.0]], [{"a": 1.0, "b": 2.0}], [], [{}], {}, {"a": [1.0], "b": [2.0]}, {"dataframe_split": {}},
        {"inputs": [[1.0, 2.0]]}, {"instances": [[1.0, 2.0]]}, None, 3, True, "text",
        '{"columns": ["a", "b"], "data": [[1.0, 2.0]]}',
    ],
)  # fmt: skip
def test_azures_form_is_the_only_one_for_named_columns(data: Any) -> None:
    with pytest.raises(
        InvalidRequest, match=r"'input_data' must hold 'columns', 'index' and 'data': .* --lenient"
    ) as refused:
        parse_request(ScoringRequest(1, json.dumps({"input_data": data}).encode(), JSON), SPLIT_ONLY)
    assert refused.value.status == 400


@pytest.mark.parametrize("more", [{}, {"index": [0]}])
def test_azures_form_is_taken_with_and_without_index(more: dict[str, Any]) -> None:
    body = {"input_data": {"columns": ["b", "a"], "data": [[2.0, 1.0]], **more}}
    asked = parse_request(ScoringRequest(1, json.dumps(body).encode(), JSON), SPLIT_ONLY)
    assert {name: column.tolist() for name, column in (asked.columns or {}).items()} == {"a": [1.0], "b": [2.0]}


@pytest.mark.parametrize("data", [[[1, 2]], [{"a": [1]}]])
def test_columns_that_mlflow_checks_are_sent_in_azures_form_too(data: Any) -> None:
    with pytest.raises(InvalidRequest, match="'input_data' must hold 'columns'"):
        parse_request(ScoringRequest(1, json.dumps({"input_data": data}).encode(), JSON), Signature(split_only=True))


PARAMS = [
    Param("times", "long"),
    Param("stops", "string", listed=True),
    Param("seed", "long", optional=True),
    Param("more", "object"),
]


@pytest.mark.parametrize(
    "sent", [{}, {"times": 2}, {"times": 2.0, "stops": ["."]}, {"stops": []}, {"seed": None}, {"seed": 1}, {"more": {}}]
)
def test_parameters_are_handed_on_as_they_were_sent(sent: dict[str, Any]) -> None:
    assert read_params(sent, PARAMS) == sent


def test_null_is_no_parameters() -> None:
    assert read_params(None, PARAMS) == {}


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ([1], "'params' must be an object"),
        ({"time": 1}, "'time' is not one of the model's: more, seed, stops, times"),
        ({"times": None}, "'times': null is not a whole number"),
        ({"times": 10**400}, "'times': 1000"),
        ({"times": 2.5}, "'times': 2.5 is not a whole number of 64 bits"),
        ({"times": [1]}, "'times'"),
        ({"stops": "."}, r"'stops': '\.' is not a list"),
        ({"stops": [".", None]}, "'stops': null is not a text"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(sent: Any, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        read_params(sent, PARAMS)


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
    with pytest.raises(InvalidRequest, match=field):
        read_table(data, SIGNATURE)


def outcome(read: Callable[[], dict[str, np.ndarray]]) -> object:
    """What came of reading: the columns as plain values with their types, or the refusal's text."""
    try:
        return {name: (found.dtype, found.astype(object).astype(str).tolist()) for name, found in read().items()}
    except InvalidRequest as refusal:
        return str(refusal)


@given(st.sampled_from(list(TYPE_RULES)), st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=3), st.booleans())
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
    with pytest.raises(InvalidRequest, match="Column 'x', row 1"):
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


@pytest.mark.parametrize("kind", [kind for kind, rule in TYPE_RULES.items() if rule.null is not ...])
def test_null_stands_for_an_absent_value_in_an_optional_column(kind: str) -> None:
    found = read_column(Column("x", kind, required=False), [None]).tolist()[0]
    assert found is None or found != found  # noqa: PLR0124 - NaN
