"""What must hold of every scorer: functions that raise `ContractBroken` with the request that shows it.

They need no test framework: a suite hands them generated batches, a smoke run hands them the sample.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from mlgates.contract.invalid_requests import InvalidRequest
from mlgates.contract.scoring_requests import Format, encode, formats_of
from mlgates.contract.signature import Batch, Column, Input, ModelContract, Tensor, json_type, problem_of, same
from mlgates.core.errors import ExitCode, MlgatesError
from mlgates.endpoint_client import Json, Scorer, ScoringRequest, ScoringResponse, ask

Predict: TypeAlias = Callable[[Batch], Json]
"""The registered model itself: `PyfuncScorer.predict`."""
_SHOWN = 500


class WrongAnswer(MlgatesError):
    """An answer of status 200 that is not what the signature promises."""

    exit_code = ExitCode.CONTRACT_BROKEN


def predictions_of(contract: ModelContract, answer: Json, rows: int) -> list[Json]:
    """Return one prediction a row. Raises `WrongAnswer` that says how the answer differs from the signature.

    An answer is a bare JSON list; a model with named output tensors answers an object with a list for each.
    """
    if isinstance(answer, dict) and contract.outputs and all(map(_is_named_tensor, contract.outputs)):
        answer = _rows_of_arrays(contract, answer)
    if not isinstance(answer, list):
        raise WrongAnswer(f"the answer is {json_type(answer)}, and a list with a prediction a row is promised")
    if len(answer) != rows:
        raise WrongAnswer(f"{len(answer)} predictions for {rows} rows")
    for number, prediction in enumerate(answer):
        if problem := _problem(contract.outputs, prediction):
            raise WrongAnswer(f"prediction {number}{problem}")
    return answer


def _is_named_tensor(output: Input) -> bool:
    return isinstance(output, Tensor) and bool(output.name)


def _rows_of_arrays(contract: ModelContract, answer: dict[str, Json]) -> list[Json]:
    arrays = {output.name: answer.get(output.name) for output in contract.outputs}
    if answer.keys() != arrays.keys():
        raise WrongAnswer(f"the answer has {', '.join(sorted(answer))}, and {', '.join(arrays)} are promised")
    lists = [array for array in arrays.values() if isinstance(array, list)]
    if len(lists) != len(arrays) or len({len(each) for each in lists}) > 1:
        raise WrongAnswer("the answer's arrays are not lists of one length")
    return [dict(zip(arrays, row, strict=True)) for row in zip(*lists, strict=True)]


def _problem(outputs: tuple[Input, ...], prediction: Json) -> str | None:
    """Return what is wrong with one prediction, to be put after its number."""
    if not outputs:
        return None
    if isinstance(prediction, dict):
        return _problem_of_record({output.name: output for output in outputs}, prediction)
    if len(outputs) == 1:
        return _problem_of_value(outputs[0], prediction)
    if isinstance(prediction, list) and len(prediction) == len(outputs):
        problems = (_problem_of_value(output, value) for output, value in zip(outputs, prediction, strict=True))
        return next(filter(None, problems), None)
    return f" is {json_type(prediction)}, and {len(outputs)} values are promised"


def _problem_of_record(outputs: dict[str, Input], prediction: dict[str, Json]) -> str | None:
    if outputs.keys() != prediction.keys():
        return f" has {', '.join(sorted(prediction))}, and {', '.join(sorted(outputs))} are promised"
    for name, value in prediction.items():
        if problem := _problem_of_value(outputs[name], value):
            return f", '{name}'{problem}"
    return None


def _problem_of_value(output: Input, value: Json) -> str | None:
    if isinstance(output, Column):
        problem = problem_of(value, output.type)
        return f" {problem}" if problem else None
    return _problem_of_array(output, value, output.row_shape)


def _problem_of_array(output: Tensor, value: Json, shape: tuple[int, ...]) -> str | None:
    if not shape:
        problem = problem_of(value, output.type)
        return f" {problem}" if problem else None
    if not isinstance(value, list) or shape[0] not in {-1, len(value)}:
        return f" is not of the shape {output.row_shape}"
    return next(filter(None, (_problem_of_array(output, each, shape[1:]) for each in value)), None)


class ContractBroken(MlgatesError):
    """A scorer did not do what the contract says; the message holds the request that shows it."""

    exit_code = ExitCode.CONTRACT_BROKEN


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


def refuses(scorer: Scorer, invalid: InvalidRequest) -> None:
    """An invalid request gets a 4xx, the model's own where a router hides it, and a message that names the field."""
    answer = ask(scorer, invalid.request)
    if answer.status == 200:
        raise _broken(f"{invalid.name}: an invalid request was answered with a prediction", invalid.request, answer)
    if not (400 <= answer.status < 500 and 400 <= answer.model_status < 500):
        found = f"{invalid.name}: {answer.status} (the model's process: {answer.model_status}), and 4xx is required"
        raise _broken(found, invalid.request, answer)
    if invalid.names.casefold() not in answer.text.casefold():
        raise _broken(f"{invalid.name}: the message does not name '{invalid.names}'", invalid.request, answer)


def _compare(what: str, expected: Sequence[Json], got: Sequence[Json], request: ScoringRequest) -> None:
    for row, (one, other) in enumerate(zip(expected, got, strict=True)):
        if not same(one, other):
            raise ContractBroken(f"{what}: row {row} is {other!r}, and {one!r} is required\n  repeat: {request.curl()}")


def _broken(what: str, request: ScoringRequest, answer: ScoringResponse) -> ContractBroken:
    shown = answer.text if len(answer.text) <= _SHOWN else f"{answer.text[:_SHOWN]}..."
    return ContractBroken(f"{what}\n  answered: {answer.status} {shown}\n  repeat: {request.curl()}")
