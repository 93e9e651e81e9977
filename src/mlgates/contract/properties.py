"""What must hold of every scorer: functions that raise `ContractBroken` with the request that shows it.

They need no test framework: a suite hands them generated batches, a smoke run hands them the sample.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from mlgates.contract.answers import predictions_of
from mlgates.contract.errors import ContractBroken, WrongAnswer
from mlgates.contract.invalid import Invalid
from mlgates.contract.requests import Format, encode, formats_of
from mlgates.contract.scalars import same
from mlgates.contract.signature import Batch, ModelContract
from mlgates.endpoint_client import Json, Scorer, ScoringRequest, ScoringResponse, ask

Predict: TypeAlias = Callable[[Batch], Json]
"""The registered model itself: `InProcess.predict`."""

_SHOWN = 500


def answers(contract: ModelContract, scorer: Scorer, batch: Batch, request: ScoringRequest) -> list[Json]:
    """A valid request gets 200 and one prediction a row, of the declared type; return the predictions."""
    answer = ask(scorer, request)
    if answer.status != 200:
        raise _broken("a valid request was not answered with 200", request, answer)
    try:
        return predictions_of(contract, answer.json(), len(batch.rows))
    except WrongAnswer as error:
        raise _broken(f"the answer is not what the signature promises: {error}", request, answer) from error
    except ValueError as error:
        raise _broken("the answer to a valid request is not JSON", request, answer) from error


def agrees_with_model(contract: ModelContract, scorer: Scorer, batch: Batch, form: Format, predict: Predict) -> None:
    """The predictions are those of the registered model."""
    request = encode(batch, form)
    expected = predictions_of(contract, predict(batch), len(batch.rows))
    _compare("the model itself predicts otherwise", expected, answers(contract, scorer, batch, request), request)


def is_independent_of_format(contract: ModelContract, scorer: Scorer, batch: Batch, forms: Sequence[Format]) -> None:
    """The same rows get the same predictions in each of `forms`."""
    first, *others = [form for form in forms if form in formats_of(contract)]
    expected = answers(contract, scorer, batch, encode(batch, first))
    for form in others:
        request = encode(batch, form)
        _compare(
            f"{form} and {first} are answered unlike", expected, answers(contract, scorer, batch, request), request
        )


def is_independent_of_column_order(
    contract: ModelContract, scorer: Scorer, batch: Batch, form: Format, order: Sequence[str]
) -> None:
    """Names, where the format has them, and not places tell the columns apart."""
    expected = answers(contract, scorer, batch, encode(batch, form))
    request = encode(batch, form, order=order)
    got = answers(contract, scorer, batch, request)
    _compare("another order of columns gives other predictions", expected, got, request)


def is_independent_of_batching(
    contract: ModelContract, scorer: Scorer, batch: Batch, form: Format, sizes: Sequence[int]
) -> None:
    """The rows get the same predictions in one request and spread over several, of `sizes` rows each (then the rest).

    With sizes of 1 it is the independence of a row from all others.
    """
    whole = encode(batch, form)
    expected = answers(contract, scorer, batch, whole)
    start = 0
    for size in (*sizes, len(batch.rows)):
        if part := batch.rows[start : start + size]:
            some = Batch(batch.names, part, batch.params)
            request = encode(some, form)
            got = answers(contract, scorer, some, request)
            _compare("the other rows of a request change a prediction", expected[start : start + size], got, request)
        start += size


def refuses(scorer: Scorer, invalid: Invalid) -> None:
    """An invalid request gets a 4xx, the model's own where a router hides it, and a message that names the field."""
    answer = ask(scorer, invalid.request)
    if answer.status == 200:
        raise _broken(f"{invalid.name}: an invalid request was answered with a prediction", invalid.request, answer)
    if not (400 <= answer.status < 500 and 400 <= answer.model_status < 500):
        found = f"{invalid.name}: {answer.status} (the model's process: {answer.model_status}), and 4xx is due"
        raise _broken(found, invalid.request, answer)
    if invalid.names.casefold() not in answer.text.casefold():
        raise _broken(f"{invalid.name}: the message does not name '{invalid.names}'", invalid.request, answer)


def _compare(what: str, expected: Sequence[Json], got: Sequence[Json], request: ScoringRequest) -> None:
    for row, (one, other) in enumerate(zip(expected, got, strict=True)):
        if not same(one, other):
            raise ContractBroken(f"{what}: row {row} is {other!r}, and {one!r} is due\n  repeat: {request.curl()}")


def _broken(what: str, request: ScoringRequest, answer: ScoringResponse) -> ContractBroken:
    shown = answer.text if len(answer.text) <= _SHOWN else f"{answer.text[:_SHOWN]}..."
    return ContractBroken(f"{what}\n  answered: {answer.status} {shown}\n  repeat: {request.curl()}")
