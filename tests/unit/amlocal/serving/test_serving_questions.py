"""A request that means nothing, or something that nobody asked, is refused before the model sees it."""

import json
from typing import Any

import pytest

from amlocal.serving.frames import Request
from amlocal.serving.model import Signature
from amlocal.serving.questions import read_question
from amlocal.serving.refusal import Refusal
from amlocal.serving.tensors import Tensor
from amlocal.serving.values import Column

# MLflow says so of its own type hints, when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning")

JSON = "application/json"
TABLE = Signature(columns=[Column("a", "double")])
GOOD = b'{"input_data": [[1.0]]}'


@pytest.mark.parametrize("kind", [JSON, "Application/JSON", f"{JSON}; charset=utf-8", f'{JSON};charset="UTF-8"'])
def test_json_in_utf_8_is_taken_however_it_is_spelled(kind: str) -> None:
    assert read_question(Request(1, GOOD, kind), TABLE).rows == 1


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "text/csv", "application/jsonp", f"{JSON}; charset=utf-16", f"{JSON}; charset=latin-1"]
)
def test_another_content_type_is_named_and_unsupported(kind: str) -> None:
    with pytest.raises(Refusal, match="Content-Type") as refused:
        read_question(Request(1, GOOD, kind), TABLE)
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
    with pytest.raises(Refusal, match=why) as refused:
        read_question(Request(1, body, JSON), TABLE)
    assert refused.value.status == 400


def test_a_model_without_signature_is_asked_as_the_request_has_it() -> None:
    asked = read_question(Request(1, json.dumps({"input_data": [{"b": 1, "a": 2}]}).encode(), JSON), Signature())
    assert asked.data.to_dict(orient="records") == [{"b": 1, "a": 2}]


@pytest.mark.parametrize("data", [{"columns": ["a"], "data": [[1, 2]]}, [[1], [2, 3]], {"columns": "a", "data": 1}])
def test_a_table_that_no_signature_checks_must_still_be_one(data: object) -> None:
    with pytest.raises(Refusal, match="'input_data' is not a table"):
        read_question(Request(1, json.dumps({"input_data": data}).encode(), JSON), Signature())


def test_a_tensor_is_read_as_its_signature_says() -> None:
    import numpy as np  # noqa: PLC0415

    signature = Signature(tensors=[Tensor(None, np.dtype("float64"), (-1, 2))])
    assert read_question(Request(1, b'{"input_data": [[1, 2]]}', JSON), signature).data.tolist() == [[1.0, 2.0]]


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
    with pytest.raises(Refusal, match=r"'input_data' must hold 'columns', 'index' and 'data': .* --lenient") as refused:
        read_question(Request(1, json.dumps({"input_data": data}).encode(), JSON), SPLIT_ONLY)
    assert refused.value.status == 400


@pytest.mark.parametrize("more", [{}, {"index": [0]}])
def test_azures_form_is_taken_with_and_without_index(more: dict[str, Any]) -> None:
    body = {"input_data": {"columns": ["b", "a"], "data": [[2.0, 1.0]], **more}}
    asked = read_question(Request(1, json.dumps(body).encode(), JSON), SPLIT_ONLY)
    assert {name: column.tolist() for name, column in (asked.columns or {}).items()} == {"a": [1.0], "b": [2.0]}


@pytest.mark.parametrize("data", [[[1, 2]], [{"a": [1]}]])
def test_columns_that_mlflow_checks_are_sent_in_azures_form_too(data: Any) -> None:
    with pytest.raises(Refusal, match="'input_data' must hold 'columns'"):
        read_question(Request(1, json.dumps({"input_data": data}).encode(), JSON), Signature(split_only=True))
