"""A model in the scoring process: what it answers, alone and for requests that are merged."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException

from amlocal.online_scoring.link import ScoringRequest, ScoringResponse
from amlocal.online_scoring.model import Model, OnlineScorer, json_ready
from amlocal.online_scoring.signature import Column, Param, Signature, Tensor

pytestmark = [
    # MLflow says so of its own type hints, when it is imported.
    pytest.mark.filterwarnings("ignore:.*type hint.* is inferred as AnyType:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*An input example was not provided:UserWarning"),
]

VALUES = {
    "double": 1, "float": 0.5, "long": 2**40, "integer": 7.0, "boolean": True, "string": "x", "binary": "YQ==",
    "datetime": "2026-01-31T12:00:00",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that answers with what it was asked: its types, values and parameters, as text."""
    import mlflow  # noqa: PLC0415 - it takes seconds
    import pandas as pd  # noqa: PLC0415
    from mlflow.models import ModelSignature  # noqa: PLC0415
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema  # noqa: PLC0415

    class Echo(mlflow.pyfunc.PythonModel):  # type: ignore[name-defined,misc]
        def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> list[str]:
            dtypes = model_input.dtypes.astype(str).to_dict()
            return [f"{dtypes} {row} {params}" for row in model_input.to_dict(orient="records")]

    columns = [ColSpec(DataType[kind], kind) for kind in VALUES] + [ColSpec("double", "optional", required=False)]
    folder = tmp_path_factory.mktemp("models") / "model"
    mlflow.pyfunc.save_model(
        folder,
        python_model=Echo(),
        signature=ModelSignature(
            inputs=Schema([*columns]),
            outputs=Schema([ColSpec("string")]),
            params=ParamSchema([ParamSpec("limit", "long", 3)]),
        ),
        pip_requirements=[],
    )
    return folder


@pytest.mark.parametrize("optional", [{}, {"optional": 2.5}], ids=["left out", "sent"])
@pytest.mark.parametrize("params", [{}, {"limit": 4}], ids=["by default", "sent"])
def test_a_model_is_asked_the_same_whether_mlflow_checks_the_table_or_not(
    folder: Path, optional: dict[str, float], params: dict[str, int]
) -> None:
    import mlflow  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    from amlocal.online_scoring.model import Model, OnlineScorer  # noqa: PLC0415

    body = json.dumps({"input_data": [{**VALUES, **optional}], "params": params}).encode()
    ((answer,),) = OnlineScorer(Model(folder, lenient=True)).respond([ScoringRequest(1, body, "application/json")])
    typed = {"float": np.float32(0.5), "integer": np.int32(7), "binary": b"a", "double": 1.0}
    frame = pd.DataFrame([{**VALUES, **typed, "datetime": pd.Timestamp(str(VALUES["datetime"])), **optional}])
    frame = frame.astype({"float": "float32", "integer": "int32"})
    assert json.loads(answer.body) == mlflow.pyfunc.load_model(folder).predict(frame, params=params)


@pytest.mark.parametrize("lenient", [True, False])
def test_only_a_lenient_model_with_named_columns_takes_rows(folder: Path, lenient: bool) -> None:
    from amlocal.online_scoring.model import Model, OnlineScorer  # noqa: PLC0415

    scorer = OnlineScorer(Model(folder, lenient=lenient))
    split = {"columns": list(VALUES), "index": [0], "data": [list(VALUES.values())]}
    statuses = {}
    for name, data in {"split": split, "records": [VALUES], "rows": [list(VALUES.values())]}.items():
        request = ScoringRequest(1, json.dumps({"input_data": data}).encode(), "application/json")
        ((answer,),) = scorer.respond([request])
        statuses[name] = answer.status
    others = 200 if lenient else 400
    assert statuses == {"split": 200, "records": others, "rows": others}


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

    def scorer(self) -> OnlineScorer:
        scorer = OnlineScorer(cast("Model", self))
        self.asked.clear()
        return scorer


def total(frame: Any, params: Any = None) -> Any:
    return (frame["a"] + frame["b"]).to_numpy()


def request(number: int, rows: Any, **more: Any) -> ScoringRequest:
    return ScoringRequest(number, json.dumps({"input_data": rows, **more}).encode(), "application/json")


def respond(scorer: OnlineScorer, *requests: ScoringRequest) -> dict[int, ScoringResponse]:
    return {answer.number: answer for ready in scorer.respond(requests) for answer in ready}


def values(answer: ScoringResponse) -> Any:
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


NUMBERS = st.floats(-1e6, 1e6)
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS).map(list), min_size=1, max_size=4)


@given(st.lists(ROWS, min_size=1, max_size=6))
def test_merged_requests_get_what_each_would_get_alone(tables: list[list[list[float]]]) -> None:
    model = Fake(total)
    found = respond(model.scorer(), *(request(number, rows) for number, rows in enumerate(tables, start=1)))
    for number, rows in enumerate(tables, start=1):
        assert values(found[number]) == [first + second for first, second in rows]
    assert len(model.asked) == 1


def test_tables_of_other_columns_or_parameters_are_asked_apart() -> None:
    signature = Signature(columns=[Column("a", "double"), Column("b", "double", required=False)], params=TABLE.params)
    model = Fake(lambda frame, params: frame["a"].to_numpy() * (params or {"k": 1})["k"], signature)
    scorer = model.scorer()
    found = respond(
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
    respond(scorer, request(1, [[1.0, 2.0]]), request(2, [[3.0, 4.0]]))
    assert len(model.asked) == 2


def test_a_request_that_the_model_fails_on_takes_no_other_with_it(capfd: pytest.CaptureFixture[str]) -> None:
    def predict(frame: Any, params: Any) -> Any:
        if (frame["a"] == 13).any():
            raise ArithmeticError("unlucky")
        return total(frame)

    found = respond(Fake(predict).scorer(), *(request(number, [[float(number), 0.0]]) for number in (12, 13, 14)))
    assert (values(found[12]), values(found[14])) == ([12.0], [14.0])
    assert (found[13].status, b"ArithmeticError: unlucky" in found[13].body) == (500, True)
    assert "Traceback" in capfd.readouterr().err


def test_a_model_that_answers_with_too_few_rows_when_merged_is_asked_again_alone() -> None:
    model = Fake(lambda frame, params: total(frame) if len(frame) < 3 else total(frame)[:1])
    model.example = EXAMPLE.head(1)
    found = respond(model.scorer(), *(request(number, [[1.0, 1.0], [2.0, 2.0]]) for number in (1, 2)))
    assert [values(found[number]) for number in (1, 2)] == [[2.0, 4.0], [2.0, 4.0]]


def test_what_mlflow_refuses_is_the_callers_mistake() -> None:
    def refuse(data: Any, params: Any) -> Any:
        raise MlflowException("not of the schema")

    found = respond(Fake(refuse, Signature(), None).scorer(), request(1, [[1.0]]))
    assert (found[1].status, b"not of the schema" in found[1].body) == (400, True)


def test_a_request_that_cannot_be_read_is_refused_beside_others_that_are_answered() -> None:
    found = respond(Fake(total).scorer(), ScoringRequest(1, b"{", "application/json"), request(2, [[1.0, 2.0]]))
    assert (found[1].status, values(found[2])) == (400, [3.0])


def test_a_model_without_a_signature_gets_tables_and_arrays_as_they_are_written() -> None:
    model = Fake(lambda data, params: [type(data).__name__], Signature(), None)
    scorer = model.scorer()
    rows = ([[1, 2]], [{"a": 1}], {"columns": ["a"], "data": [[1]], "index": [7]}, {"x": [1]}, "text")
    found = respond(scorer, *(request(number, data) for number, data in enumerate(rows)))
    kinds = [values(found[number])[0] for number in range(len(rows))]
    assert kinds == ["ndarray", "DataFrame", "DataFrame", "dict", "str"]


@pytest.mark.parametrize("data", [{"columns": ["a", "b"], "data": [[1]]}, {"columns": 5, "data": [[1]]}])
def test_a_table_that_pandas_cannot_read_is_refused(data: Any) -> None:
    found = respond(Fake(total, Signature(), None).scorer(), request(1, data))
    assert (found[1].status, b"is not a table" in found[1].body) == (400, True)


def test_tensors_are_asked_as_arrays() -> None:
    signature = Signature(tensors=[Tensor(None, np.dtype("float32"), (-1, 2))])
    model = Fake(lambda data, params: data.sum(axis=1), signature, None)
    assert values(respond(model.scorer(), request(1, [[1, 2], [3, 4]]))[1]) == [3.0, 7.0]
    assert model.asked[0].dtype == np.float32


def test_columns_of_several_types_keep_each_its_own() -> None:
    signature = Signature(columns=[Column("a", "double"), Column("b", "string")])
    model = Fake(lambda frame, params: [str(frame.dtypes.to_dict())], signature, None)
    (answer,) = respond(model.scorer(), request(1, [[1.0, "x"]])).values()
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
