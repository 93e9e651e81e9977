"""Requests that wait together are asked of the model together, and answered as if each had come alone."""

import json
import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException

from amlocal.serving.frames import Answer, Request
from amlocal.serving.model import Model, Signature, json_ready
from amlocal.serving.params import Param
from amlocal.serving.scorer import Scorer
from amlocal.serving.tensors import Tensor
from amlocal.serving.values import Column

# MLflow says so of its own type hints, when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning")

TABLE = Signature(columns=[Column("a", "double"), Column("b", "double")], params=[Param("k", "long")])
EXAMPLE = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
Predict = Callable[[Any, Any], Any]


class Fake:
    """A model that is a function, and counts what it was asked."""

    def __init__(self, predict: Predict, signature: Signature = TABLE, example: pd.DataFrame | None = EXAMPLE) -> None:
        self.signature, self.example = signature, example
        self.asked: list[Any] = []
        self._predict = predict

    def predict(self, data: Any, params: Any = None) -> Any:
        self.asked.append(data)
        return self._predict(data, params)

    def scorer(self) -> Scorer:
        scorer = Scorer(cast("Model", self))
        self.asked.clear()
        return scorer


def total(frame: Any, params: Any = None) -> Any:
    return (frame["a"] + frame["b"]).to_numpy()


def request(number: int, rows: Any, **more: Any) -> Request:
    return Request(number, json.dumps({"input_data": rows, **more}).encode(), "application/json")


def answers(scorer: Scorer, *requests: Request) -> dict[int, Answer]:
    return {answer.number: answer for ready in scorer.answers(requests) for answer in ready}


def values(answer: Answer) -> Any:
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


NUMBERS = st.floats(-1e6, 1e6)
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS).map(list), min_size=1, max_size=4)


@given(st.lists(ROWS, min_size=1, max_size=6))
def test_merged_requests_get_what_each_would_get_alone(tables: list[list[list[float]]]) -> None:
    model = Fake(total)
    found = answers(model.scorer(), *(request(number, rows) for number, rows in enumerate(tables, start=1)))
    for number, rows in enumerate(tables, start=1):
        assert values(found[number]) == [first + second for first, second in rows]
    assert len(model.asked) == 1


def test_tables_of_other_columns_or_parameters_are_asked_apart() -> None:
    signature = Signature(columns=[Column("a", "double"), Column("b", "double", required=False)], params=TABLE.params)
    model = Fake(lambda frame, params: frame["a"].to_numpy() * (params or {"k": 1})["k"], signature)
    scorer = model.scorer()
    found = answers(
        scorer,
        request(1, [{"a": 1.0}]),
        request(2, [{"a": 2.0, "b": 0.0}]),
        request(3, [{"a": 3.0}], params={"k": 10}),
        request(4, [{"a": 4.0}]),
    )
    assert [values(found[number]) for number in (1, 2, 3, 4)] == [[1.0], [2.0], [30.0], [4.0]]
    assert len(model.asked) == 3


@pytest.mark.parametrize(
    ("predict", "example"),
    [
        (lambda frame, params: (frame["a"] - frame["a"].mean()).to_numpy(), EXAMPLE),
        (lambda frame, params: float(frame["a"].sum()), EXAMPLE),
        (total, None),
        (total, EXAMPLE.head(0)),
        (lambda frame, params: 1 / 0, EXAMPLE),
    ],
    ids=["rows depend on each other", "one answer for all", "no example", "empty example", "fails on its example"],
)
def test_a_model_that_is_not_known_to_go_row_by_row_is_asked_one_request_at_a_time(
    predict: Predict, example: pd.DataFrame | None
) -> None:
    model = Fake(predict, example=example)
    scorer = model.scorer()
    assert not scorer.merges
    answers(scorer, request(1, [[1.0, 2.0]]), request(2, [[3.0, 4.0]]))
    assert len(model.asked) == 2


def test_a_request_that_the_model_fails_on_takes_no_other_with_it(capfd: pytest.CaptureFixture[str]) -> None:
    def predict(frame: Any, params: Any) -> Any:
        if (frame["a"] == 13).any():
            raise ArithmeticError("unlucky")
        return total(frame)

    found = answers(Fake(predict).scorer(), *(request(number, [[float(number), 0.0]]) for number in (12, 13, 14)))
    assert (values(found[12]), values(found[14])) == ([12.0], [14.0])
    assert (found[13].status, b"ArithmeticError: unlucky" in found[13].body) == (500, True)
    assert "Traceback" in capfd.readouterr().err


def test_a_model_that_answers_with_too_few_rows_when_merged_is_asked_again_alone() -> None:
    model = Fake(lambda frame, params: total(frame) if len(frame) < 3 else total(frame)[:1])
    model.example = EXAMPLE.head(1)
    found = answers(model.scorer(), *(request(number, [[1.0, 1.0], [2.0, 2.0]]) for number in (1, 2)))
    assert [values(found[number]) for number in (1, 2)] == [[2.0, 4.0], [2.0, 4.0]]


def test_what_mlflow_refuses_is_the_callers_mistake() -> None:
    def refuse(data: Any, params: Any) -> Any:
        raise MlflowException("not of the schema")

    found = answers(Fake(refuse, Signature(), None).scorer(), request(1, [[1.0]]))
    assert (found[1].status, b"not of the schema" in found[1].body) == (400, True)


def test_a_request_that_cannot_be_read_is_refused_beside_others_that_are_answered() -> None:
    found = answers(Fake(total).scorer(), Request(1, b"{", "application/json"), request(2, [[1.0, 2.0]]))
    assert (found[1].status, values(found[2])) == (400, [3.0])


def test_a_model_without_a_signature_gets_tables_and_arrays_as_they_are_written() -> None:
    model = Fake(lambda data, params: [type(data).__name__], Signature(), None)
    scorer = model.scorer()
    rows = ([[1, 2]], [{"a": 1}], {"columns": ["a"], "data": [[1]], "index": [7]}, {"x": [1]}, "text")
    found = answers(scorer, *(request(number, data) for number, data in enumerate(rows)))
    kinds = [values(found[number])[0] for number in range(len(rows))]
    assert kinds == ["ndarray", "DataFrame", "DataFrame", "dict", "str"]


@pytest.mark.parametrize("data", [{"columns": ["a", "b"], "data": [[1]]}, {"columns": 5, "data": [[1]]}])
def test_a_table_that_pandas_cannot_read_is_refused(data: Any) -> None:
    found = answers(Fake(total, Signature(), None).scorer(), request(1, data))
    assert (found[1].status, b"is not a table" in found[1].body) == (400, True)


def test_tensors_are_asked_as_arrays() -> None:
    signature = Signature(tensors=[Tensor(None, np.dtype("float32"), (-1, 2))])
    model = Fake(lambda data, params: data.sum(axis=1), signature, None)
    assert values(answers(model.scorer(), request(1, [[1, 2], [3, 4]]))[1]) == [3.0, 7.0]
    assert model.asked[0].dtype == np.float32


def test_columns_of_several_types_keep_each_its_own() -> None:
    signature = Signature(columns=[Column("a", "double"), Column("b", "string")])
    model = Fake(lambda frame, params: [str(frame.dtypes.to_dict())], signature, None)
    (answer,) = answers(model.scorer(), request(1, [[1.0, "x"]])).values()
    assert "float64" in values(answer)[0]
    assert "dtype('O')" in values(answer)[0]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    return {key: without_nan(item) for key, item in value.items()} if isinstance(value, dict) else value


@given(JSON_VALUES)
def test_whatever_a_model_predicts_is_written_as_json_and_what_json_lacks_as_null(predictions: Any) -> None:
    assert json_ready(predictions) == without_nan(predictions)
    json.dumps(json_ready(predictions), allow_nan=False)


@pytest.mark.parametrize(
    ("predictions", "written"),
    [
        (np.array([1, 2]), [1, 2]),
        (np.array([1.5, np.nan]), [1.5, None]),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (np.array(["a", None], dtype=object), ["a", None]),
        (np.float32(0.5), 0.5),
        (pd.Series([1.0, math.inf], name="p"), [{"p": 1.0}, {"p": None}]),
        (pd.DataFrame({"p": [1], 7: ["x"]}), [{"p": 1, "7": "x"}]),
        (pd.DataFrame({"at": [pd.Timestamp("2026-01-01")]}), [{"at": "2026-01-01 00:00:00"}]),
        ({"p": np.array([1])}, {"p": [1]}),
        ((1, 2), [1, 2]),
    ],
)
def test_arrays_and_tables_are_written_row_by_row(predictions: Any, written: Any) -> None:
    assert json_ready(predictions) == written
