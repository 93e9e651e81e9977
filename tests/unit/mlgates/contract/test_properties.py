"""Each property finds the fault that it is there for, planted in a scorer that is right but for it."""

import itertools
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlgates.contract import properties
from mlgates.contract.invalid_requests import InvalidRequest, catalogue
from mlgates.contract.properties import ContractBroken, WrongAnswer, predictions_of
from mlgates.contract.scoring_requests import Format, RequestRefused, encode, parse
from mlgates.contract.signature import Batch, Column, DataType, ModelContract, Tensor
from mlgates.endpoint_client import Json, Scorer, ScoringResponse
from tests.unit.mlgates.contract.models import column_contract

CONTRACT = replace(
    column_contract(DataType.DOUBLE, DataType.DOUBLE), outputs=(Tensor("", DataType.DOUBLE, (-1,), "float64"),)
)
BATCH = Batch(("x0", "x1"), ((1.0, 2.0), (3.0, 4.0), (5.0, 6.0)))
FORMS = (Format.POSITIONAL, Format.SPLIT, Format.RECORDS)


CLASS = Tensor("", DataType.LONG, (-1,), "int64")
PAIR = Tensor("", DataType.DOUBLE, (-1, 2), "float64")
RISK, LABEL = Column("risk", DataType.DOUBLE), Column("label", DataType.STRING)
LEFT, RIGHT = Tensor("left", DataType.LONG, (-1,), "int64"), Tensor("right", DataType.LONG, (-1,), "int64")


def difference(batch: Batch) -> list[Json]:
    return [float(a) - 2 * float(b) for a, b in batch.rows]  # type: ignore[arg-type]


class Model:
    """A scorer over the contract's own reading; `spoil` gets at the answer of a request before it is sent."""

    def __init__(
        self, spoil: Callable[[Batch, bytes, list[Json]], list[Json]] = lambda _batch, _body, good: good
    ) -> None:
        self._spoil = spoil

    def score(self, body: bytes, headers: Mapping[str, str]) -> ScoringResponse:
        try:
            batch = parse(CONTRACT, body, headers)
        except RequestRefused as refusal:
            return ScoringResponse(refusal.status, json.dumps({"message": str(refusal)}).encode())
        return ScoringResponse(200, json.dumps(self._spoil(batch, body, difference(batch))).encode())


class Lenient:
    """A scorer that drops columns which it does not know, as pandas and MLflow do."""

    def score(self, body: bytes, headers: Mapping[str, str]) -> ScoringResponse:
        with suppress(ValueError, RecursionError, AttributeError, LookupError, TypeError):
            table = json.loads(body)["input_data"]
            known = [place for place, name in enumerate(table["columns"]) if name in CONTRACT.names]
            table["columns"] = [table["columns"][place] for place in known]
            table["data"] = [[row[place] for place in known] for row in table["data"]]
            body = json.dumps({"input_data": table}).encode()
        return Model().score(body, headers)


class Always:
    """A scorer with one answer."""

    def __init__(self, answer: ScoringResponse) -> None:
        self._answer = answer

    def score(self, body: bytes, headers: Mapping[str, str]) -> ScoringResponse:
        return self._answer


CHECKS: dict[str, Callable[[Model], object]] = {
    "answers": lambda model: properties.answers(CONTRACT, model, BATCH, encode(BATCH, Format.SPLIT)),
    "agrees": lambda model: properties.agrees_with_model(CONTRACT, model, BATCH, Format.SPLIT, difference),
    "format": lambda model: properties.is_independent_of_format(CONTRACT, model, BATCH, FORMS),
    "order": lambda model: properties.is_independent_of_column_order(
        CONTRACT, model, BATCH, Format.RECORDS, ("x1", "x0")
    ),
    "batching": lambda model: properties.is_independent_of_batching(CONTRACT, model, BATCH, Format.SPLIT, [1, 1]),
}
FAULTS: dict[str, Model] = {
    "answers": Model(lambda _, __, good: good[1:]),
    "agrees": Model(lambda _, __, good: [float(str(value)) + 0.001 for value in good]),
    "format": Model(lambda _, body, good: good if b"columns" in body else good[::-1]),
    "order": Model(lambda _, body, good: good if body.find(b"x0") < body.find(b"x1") else good[::-1]),
    "batching": Model(lambda _, __, good: [len(good) * float(str(value)) for value in good]),
}


@pytest.mark.parametrize("name", CHECKS)
def test_a_scorer_without_fault_passes(name: str) -> None:
    CHECKS[name](Model())


@pytest.mark.parametrize("name", CHECKS)
def test_a_planted_fault_is_found_and_can_be_repeated(name: str) -> None:
    with pytest.raises(ContractBroken, match="curl"):
        CHECKS[name](FAULTS[name])


@example(sizes=[2])  # the first rows of several
@given(sizes=st.lists(st.integers(min_value=1, max_value=4), max_size=4))
def test_every_row_is_asked_once_in_one_request_and_once_spread_over_several(sizes: list[int]) -> None:
    asked: list[tuple[object, ...]] = []

    def note(batch: Batch, _: bytes, good: list[Json]) -> list[Json]:
        asked.append(batch.rows)
        return good

    properties.is_independent_of_batching(CONTRACT, Model(note), BATCH, Format.SPLIT, sizes)
    whole, *parts = asked
    assert whole == tuple(itertools.chain(*parts)) == BATCH.rows
    assert [len(part) for part in parts[:-1]] == sizes[: len(parts) - 1]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (ScoringResponse(500, b"oops"), "not answered with 200"),
        (ScoringResponse(200, b"[1.0"), "not JSON"),
        (ScoringResponse(200, b'["a", "b", "c"]'), "prediction 0 is text"),
        (ScoringResponse(503, b"x" * 2000), r"xxx\.\.\."),
    ],
)
def test_an_answer_that_breaks_the_contract_is_shown(answer: ScoringResponse, why: str) -> None:
    with pytest.raises(ContractBroken, match=why):
        properties.answers(CONTRACT, Always(answer), BATCH, encode(BATCH, Format.SPLIT))


def test_every_invalid_request_that_a_lenient_scorer_answers_is_found() -> None:
    answered = {invalid.name for invalid in catalogue(CONTRACT, BATCH) if is_broken(Lenient(), invalid)}
    assert answered >= {f"an extra column beside {name}" for name in CONTRACT.names}


def test_of_a_strict_scorer_nothing_is_found() -> None:
    assert not [invalid.name for invalid in catalogue(CONTRACT, BATCH) if is_broken(Model(), invalid)]


def is_broken(scorer: Scorer, invalid: InvalidRequest) -> bool:
    try:
        properties.refuses(scorer, invalid)
    except ContractBroken as broken:
        return "an invalid request was answered with a prediction" in str(broken)
    return False


@pytest.fixture
def missing() -> InvalidRequest:
    return next(invalid for invalid in catalogue(CONTRACT, BATCH) if invalid.name == "x0 missing")


@pytest.mark.parametrize(
    "answer",
    [
        ScoringResponse(400, b'{"message": "column \'x0\' is missing"}'),
        ScoringResponse(424, b"no X0", {"ms-azureml-model-error-statuscode": "400"}),
        ScoringResponse(424, b"no x0"),
    ],
)
def test_a_refusal_that_names_the_field_passes(missing: InvalidRequest, answer: ScoringResponse) -> None:
    properties.refuses(Always(answer), missing)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (ScoringResponse(200, b"[1.0]"), "answered with a prediction"),
        (ScoringResponse(500, b"x0"), "500 .* 4xx is required"),
        (ScoringResponse(424, b"x0", {"ms-azureml-model-error-statuscode": "500"}), "the model's process: 500"),
        (ScoringResponse(400, b"bad request"), "does not name 'x0'"),
    ],
)
def test_anything_else_is_no_refusal(missing: InvalidRequest, answer: ScoringResponse, why: str) -> None:
    with pytest.raises(ContractBroken, match=why):
        properties.refuses(Always(answer), missing)


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
def test_what_was_not_promised_is_reported(contract: ModelContract, answer: Json, why: str) -> None:
    with pytest.raises(WrongAnswer, match=why):
        predictions_of(contract, answer, 2)
