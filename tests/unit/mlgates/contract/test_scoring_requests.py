"""What is written is read as it was meant, in every format; what is spoilt is refused, with the field named."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgates.contract.invalid_requests import InvalidRequest, catalogue
from mlgates.contract.scoring_requests import Format, RequestRefused, azure_takes, dump, encode, formats_of, parse
from mlgates.contract.signature import Batch, Column, DataType, ModelContract
from mlgates.contract.strategies import batches, requests
from mlgates.endpoint_client import JSON_HEADERS, ScoringRequest
from tests.unit.mlgates.contract.models import (
    BATCHES,
    CONTRACTS,
    IMAGES,
    IMAGES32,
    OPTIONAL,
    PAIR,
    PIXELS,
    UNNAMED,
    column_contracts,
    few,
)

ASKED = [(name, form) for name, contract in CONTRACTS.items() for form in formats_of(contract)]
SPOILT = [(name, invalid) for name, contract in CONTRACTS.items() for invalid in catalogue(contract, BATCHES[name])]


@pytest.mark.parametrize(("name", "form"), ASKED)
@few
@given(data=st.data())
def test_a_request_is_read_as_it_was_meant(name: str, form: Format, data: st.DataObject) -> None:
    batch, request = data.draw(requests(CONTRACTS[name], form))
    assert parse(CONTRACTS[name], request.body, request.headers) == batch


@few
@given(column_contracts.flatmap(lambda contract: st.tuples(st.just(contract), requests(contract, Format.SPLIT))))
def test_any_names_and_types_are_read_as_they_were_meant(drawn: tuple) -> None:  # type: ignore[type-arg]
    contract, (batch, request) = drawn
    assert parse(contract, request.body, request.headers) == batch


@pytest.mark.parametrize(("name", "invalid"), SPOILT, ids=[f"{name}-{invalid.name}" for name, invalid in SPOILT])
def test_a_spoilt_request_is_refused_with_the_field_named(name: str, invalid: InvalidRequest) -> None:
    with pytest.raises(RequestRefused) as refused:
        parse(CONTRACTS[name], invalid.request.body, invalid.request.headers)
    assert invalid.names.casefold() in str(refused.value).casefold()
    assert 400 <= refused.value.status < 500


@few
@given(st.data())
def test_no_json_whatever_gets_through_as_anything_but_a_batch_or_a_refusal(data: st.DataObject) -> None:
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["columns", "data", "index", "x"]), inner),
        max_leaves=8,
    )
    contract = CONTRACTS[data.draw(st.sampled_from(sorted(CONTRACTS)))]
    body = data.draw(st.binary() | anything.map(dump) | anything.map(lambda inner: dump({"input_data": inner})))
    with suppress(RequestRefused):
        assert parse(contract, body, JSON_HEADERS).rows


@pytest.mark.parametrize(
    ("name", "value"), [("content-type", "application/json"), ("Content-Type", 'Application/JSON; charset="UTF-8"')]
)
def test_the_content_type_is_read_in_any_spelling(name: str, value: str) -> None:
    body = encode(BATCHES["unnamed"], Format.POSITIONAL).body
    assert parse(UNNAMED, body, {name: value}) == BATCHES["unnamed"]


def test_optional_columns_at_the_end_of_a_list_may_be_left_out() -> None:
    assert parse(OPTIONAL, b'{"input_data": [[1.5]]}', JSON_HEADERS) == Batch(("a",), ((1.5,),))


def test_null_and_a_name_left_out_are_both_an_absent_value_of_an_optional_column() -> None:
    body = b'{"input_data": [{"a": 1, "b": null}, {"a": 2}, {"a": 3, "b": "x"}]}'
    assert parse(OPTIONAL, body, JSON_HEADERS) == Batch(("a", "b"), ((1, None), (2, None), (3, "x")))


def test_an_optional_whole_number_has_no_room_for_null() -> None:
    contract = ModelContract((Column("a", DataType.DOUBLE), Column("n", DataType.LONG, required=False)))
    with pytest.raises(RequestRefused, match="row 1 has no 'n'"):
        parse(contract, b'{"input_data": [{"a": 1, "n": 2}, {"a": 2}]}', JSON_HEADERS)


def test_split_needs_no_index() -> None:
    body = b'{"input_data": {"columns": ["a"], "data": [[1.5]]}}'
    assert parse(OPTIONAL, body, JSON_HEADERS) == Batch(("a",), ((1.5,),))


@pytest.mark.parametrize(
    ("contract", "data", "why"),
    [
        (UNNAMED, {"columns": ["0", "1"], "data": [[1, 2]]}, "have no names"),
        (OPTIONAL, {"columns": [1], "data": [[1]]}, "names are required"),
        (OPTIONAL, [{"a": 1}, 3], "row 1 is a number among objects"),
        (PAIR, {"left": [[[1, 2], [3, 4]]], "right": []}, "differ in their number of rows"),
        (IMAGES, [[[1, 2], [3, 4, 5]]], "has length 3, and 2 is required"),
        (PIXELS, [[1], [2, 3]], "ragged"),
        (IMAGES32, [[[1e39]]], "out of range: -3.40282e"),
        (PIXELS, [[256]], "out of range: 0 to 255"),
        (PIXELS, [[1], 2], "row 1 is a number, and a list is required"),
        (IMAGES, 3, "an array of rows is required"),
        (PAIR, [[1]], "an object with left, right is required"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(contract: object, data: object, why: str) -> None:
    with pytest.raises(RequestRefused, match=why):
        parse(contract, dump({"input_data": data}), JSON_HEADERS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("params", "why"), [({"temperature": "hot"}, "temperature"), ({"stops": "."}, "stops"), ({"stops": [1]}, "stops")]
)
def test_a_parameter_of_the_wrong_type_is_named(params: object, why: str) -> None:
    with pytest.raises(RequestRefused, match=f"parameter '{why}'"):
        parse(CONTRACTS["with parameters"], dump({"input_data": [[1.0]], "params": params}), JSON_HEADERS)


def test_of_the_formats_for_named_columns_azure_takes_split_alone() -> None:
    assert [form for form in Format if azure_takes(form, OPTIONAL)] == [Format.SPLIT]


def test_the_curl_line_carries_the_body_and_no_key() -> None:
    line = ScoringRequest(b'{"input_data": "it\'s"}').curl("https://host/score")
    assert "curl --config - https://host/score" in line
    assert "$KEY" in line
    assert """'{"input_data": "it'"'"'s"}'""" in line


def test_the_curl_line_writes_bytes_that_are_no_text_by_their_numbers() -> None:
    assert "{ printf '\\377\\000\\141' | curl --config /dev/fd/3 $SCORING_URI" in ScoringRequest(b"\xff\x00a").curl()


@few
@given(batches(OPTIONAL))
def test_a_body_is_utf_8_json(batch: Batch) -> None:
    document = json.loads(encode(batch, Format.SPLIT).body.decode("utf-8"))
    assert document["input_data"]["index"] == [*range(len(batch.rows))]
