import pytest

from mlgates.contract.answers import predictions_of
from mlgates.contract.errors import WrongAnswer
from mlgates.contract.scalars import json_type, problem_of, same
from mlgates.contract.signature import Column, Kind, ModelContract, Tensor
from mlgates.endpoint_client import Json, ScoringResponse

CLASS = Tensor("", Kind.LONG, (-1,), "int64")
PAIR = Tensor("", Kind.DOUBLE, (-1, 2), "float64")
RISK, LABEL = Column("risk", Kind.DOUBLE), Column("label", Kind.STRING)
LEFT, RIGHT = Tensor("left", Kind.LONG, (-1,), "int64"), Tensor("right", Kind.LONG, (-1,), "int64")


def promising(*outputs: Column | Tensor) -> ModelContract:
    return ModelContract((CLASS,), outputs)


@pytest.mark.parametrize(
    ("contract", "answer"),
    [
        (promising(), ["anything", {}]),
        (promising(CLASS), [0, 1]),
        (promising(PAIR), [[0.1, 0.9], [1, 0]]),
        (promising(RISK), [0.5, {"risk": 0.1}]),
        (promising(RISK, LABEL), [{"risk": 0.5, "label": "a"}, [0.5, "b"]]),
    ],
)
def test_what_was_promised_is_taken(contract: ModelContract, answer: list[Json]) -> None:
    assert predictions_of(contract, answer, 2) == answer


def test_named_arrays_become_a_prediction_a_row() -> None:
    answer: Json = {"left": [1, 2], "right": [3, 4]}
    assert predictions_of(promising(LEFT, RIGHT), answer, 2) == [{"left": 1, "right": 3}, {"left": 2, "right": 4}]


@pytest.mark.parametrize(
    ("contract", "answer", "why"),
    [
        (promising(CLASS), {"predictions": [0, 1]}, "the answer is an object"),
        (promising(CLASS), [0], "1 predictions for 2 rows"),
        (promising(CLASS), [0, 0.5], "prediction 1 is 0.5, and a whole number"),
        (promising(CLASS), [0, None], "prediction 1 is null"),
        (promising(CLASS), [0, "1"], "prediction 1 is text"),
        (promising(PAIR), [[0.1, 0.9], [0.1]], "prediction 1 is not of the shape"),
        (promising(RISK), [{"risk": 0.5}, {"score": 0.5}], "prediction 1 has score, and risk are promised"),
        (promising(RISK), [{"risk": 0.5}, {"risk": "high"}], "prediction 1, 'risk' is text"),
        (promising(RISK, LABEL), [[0.5, "a"], 0.5], "2 values are promised"),
        (promising(LEFT, RIGHT), {"left": [1, 2]}, "left, right are promised"),
        (promising(LEFT, RIGHT), {"left": [1, 2], "right": [3]}, "not lists of one length"),
    ],
)
def test_what_was_not_promised_is_told(contract: ModelContract, answer: Json, why: str) -> None:
    with pytest.raises(WrongAnswer, match=why):
        predictions_of(contract, answer, 2)


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
    ("value", "kind", "problem"),
    [
        (2.0, Kind.LONG, None),
        (2**31, Kind.INTEGER, "is out of range: -2147483648 to 2147483647"),
        (1e39, Kind.FLOAT, "is out of range: at most 3.40282e+38 either way"),
        (10**400, Kind.DOUBLE, "is out of range: at most 1.79769e+308 either way"),
        ("no%base64", Kind.BINARY, "is not base64"),
        (1, Kind.BOOLEAN, "is a number, and true or false is required"),
        ({}, Kind.STRING, "is an object, and text is required"),
    ],
)
def test_a_value_is_of_a_type_or_the_reason_is_told(value: object, kind: Kind, problem: str | None) -> None:
    assert problem_of(value, kind) == problem


@pytest.mark.parametrize("text", ["now", "2024", "5", "2024-02-30", "2024-01-01T00:00:00Z", "3000-01-01", "1677-01-01"])
def test_a_moment_that_a_model_would_get_as_another_is_none(text: str) -> None:
    assert "without time zone, of the years 1678 to 2261" in str(problem_of(text, Kind.DATETIME))


@pytest.mark.parametrize("text", ["2024-02-29", "1678-01-01 00:00", "2261-12-31T23:59:59.999999999"])
def test_a_date_may_have_a_time_to_the_nanosecond(text: str) -> None:
    assert problem_of(text, Kind.DATETIME) is None


def test_null_is_called_by_its_name() -> None:
    assert json_type(None) == "null"


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (ScoringResponse(400, b""), 400),
        (ScoringResponse(424, b"", {"MS-AzureML-Model-Error-StatusCode": "500"}), 500),
        (ScoringResponse(424, b""), 424),
    ],
)
def test_the_models_own_status_is_read_behind_a_424(answer: ScoringResponse, status: int) -> None:
    assert answer.model_status == status


def test_the_text_of_an_answer_has_no_escapes() -> None:
    assert ScoringResponse(400, b'{"message": "Gr\\u00f6\\u00dfe"}').text == '{"message": "Größe"}'
