"""A candidate is compatible when every caller of the champion can go on, and that is tried with their requests."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mlgates.contract.compatibility import compare
from mlgates.contract.scoring_requests import Format, parse
from mlgates.contract.signature import Column, DataType, ModelContract, Param, Tensor
from mlgates.contract.strategies import requests
from tests.unit.mlgates.contract.models import CONTRACTS, IMAGES, PAIR, WITH_PARAMS, column_contracts, columns, few

A, B = Column("a", DataType.LONG), Column("b", DataType.STRING)
CHAMPION = ModelContract((A, B), (Tensor("", DataType.LONG, (-1,), "int64"),))


def with_inputs(*inputs: Column | Tensor) -> ModelContract:
    return replace(CHAMPION, inputs=inputs)


def with_output(output: Column | Tensor) -> ModelContract:
    return replace(CHAMPION, outputs=(output,))


@st.composite
def candidates(draw: st.DrawFn, champion: ModelContract) -> ModelContract:
    """A contract near `champion`: columns dropped, added, retyped, moved."""
    kept = [
        replace(c, type=draw(st.sampled_from([c.type, *DataType]))) for c in champion.columns if draw(st.booleans())
    ]
    added = [c for c in draw(st.lists(columns, max_size=2, unique_by=lambda c: c.name)) if c.name not in champion.names]
    chosen = draw(st.sampled_from([[*kept, *added], [*champion.columns, *added], [*added, *champion.columns]]))
    assume(chosen)
    return replace(champion, inputs=tuple(chosen))


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_a_contract_does_not_differ_from_itself(contract: ModelContract) -> None:
    assert compare(contract, contract).summary == "the contract is unchanged"


@few
@given(st.data())
def test_a_compatible_candidate_reads_every_request_of_the_champion_alike(data: st.DataObject) -> None:
    champion = data.draw(column_contracts)
    candidate = data.draw(candidates(champion))
    assume(compare(champion, candidate).compatible)
    batch, request = data.draw(requests(champion, data.draw(st.sampled_from([*Format][:3]))))
    assert parse(candidate, request.body, request.headers) == batch


@few
@given(column_contracts, columns)
def test_an_optional_column_at_the_end_is_compatible(champion: ModelContract, column: Column) -> None:
    assume(column.name not in champion.names)
    candidate = replace(champion, inputs=(*champion.inputs, replace(column, required=False)))
    assert compare(champion, candidate).compatible


@few
@given(column_contracts, columns)
def test_a_required_column_more_is_breaking(champion: ModelContract, column: Column) -> None:
    assume(column.name not in champion.names)
    candidate = replace(champion, inputs=(*champion.inputs, replace(column, required=True)))
    assert not compare(champion, candidate).compatible


@few
@given(column_contracts, st.randoms())
def test_a_column_less_is_breaking(champion: ModelContract, chance: Random) -> None:
    gone = chance.choice(champion.columns)
    candidate = replace(champion, inputs=tuple(each for each in champion.inputs if each != gone))
    assert not compare(champion, candidate).compatible


COMPATIBLE = {
    "widened": (with_inputs(replace(A, type=DataType.DOUBLE), B), "input 'a' was long and is double, which takes"),
    "optional": (with_inputs(replace(A, required=False), B), "input 'a' may now be left out"),
    "narrower": (with_output(Tensor("", DataType.INTEGER, (-1,), "int32")), "the prediction was long and is integer"),
    "parameter": (replace(CHAMPION, params=(Param("p", DataType.LONG, 1),)), "parameter 'p' is new, and has a default"),
}  # fmt: skip
BREAKING = {
    "narrowed": (with_inputs(replace(A, type=DataType.INTEGER), B), "was long and is integer, which does not take"),
    "required": (with_inputs(A, B, Column("c", DataType.LONG)), "input 'c' is new and required"),
    "gone": (with_inputs(A), "input 'b' is gone"),
    "moved": (with_inputs(B, A), "the order of the inputs changed"),
    "tensors": (IMAGES, "input_data was named columns and is unnamed tensors"),
    "wider answer": (
        with_output(Tensor("", DataType.DOUBLE, (-1,), "float64")),
        "the prediction was long and is double",
    ),
    "probabilities": (
        with_output(Tensor("", DataType.LONG, (-1, 2), "int64")),
        "the prediction had shape () and has (2,)",
    ),
    "renamed answer": (with_output(Column("risk", DataType.LONG)), "the answer had one unnamed value and has risk"),
    "no answer": (replace(CHAMPION, outputs=()), "and has no declared type"),
}  # fmt: skip


@pytest.mark.parametrize(("candidate", "reason"), COMPATIBLE.values(), ids=COMPATIBLE)
def test_a_compatible_change_is_reported_with_its_reason(candidate: ModelContract, reason: str) -> None:
    comparison = compare(CHAMPION, candidate)
    assert comparison.compatible
    assert comparison.summary.startswith(f"compatible: {reason}")


@pytest.mark.parametrize(("candidate", "reason"), BREAKING.values(), ids=BREAKING)
def test_a_breaking_change_is_reported_with_its_reason(candidate: ModelContract, reason: str) -> None:
    comparison = compare(CHAMPION, candidate)
    assert not comparison.compatible
    assert comparison.summary.startswith("breaking: ")
    assert reason in comparison.summary


def test_a_column_that_becomes_required_is_breaking() -> None:
    comparison = compare(with_inputs(A, replace(B, required=False)), CHAMPION)
    assert [str(change) for change in comparison.changes] == ["breaking: input 'b' is now required"]


@pytest.mark.parametrize(
    ("change", "compatible"),
    [
        (lambda tensor: replace(tensor, shape=(-1, -1, 2)), True),
        (lambda tensor: replace(tensor, shape=(-1, 3, 2)), False),
        (lambda tensor: replace(tensor, shape=(-1, 4)), False),
        (lambda tensor: replace(tensor, dtype="float32"), False),
        (lambda tensor: replace(tensor, name="other"), False),
    ],
)
def test_a_tensor_may_take_more_and_not_less(change: Callable[[Tensor], Tensor], compatible: bool) -> None:
    candidate = replace(PAIR, inputs=(change(PAIR.tensors[0]), PAIR.tensors[1]))
    assert compare(PAIR, candidate).compatible == compatible


@pytest.mark.parametrize(
    ("params", "compatible"),
    [
        ((), False),
        ((replace(WITH_PARAMS.params[0], default=0.7), WITH_PARAMS.params[1]), False),
        ((replace(WITH_PARAMS.params[0], type=DataType.LONG), WITH_PARAMS.params[1]), False),
        ((WITH_PARAMS.params[0], replace(WITH_PARAMS.params[1], listed=False)), False),
        ((WITH_PARAMS.params[1], WITH_PARAMS.params[0]), True),
    ],
)
def test_a_parameter_keeps_its_meaning(params: tuple[Param, ...], compatible: bool) -> None:
    assert compare(WITH_PARAMS, replace(WITH_PARAMS, params=params)).compatible == compatible


def test_an_answer_that_was_never_declared_may_become_anything() -> None:
    assert compare(replace(CHAMPION, outputs=()), CHAMPION).compatible
