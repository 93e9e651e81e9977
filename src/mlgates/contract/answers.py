"""Whether an answer is what the signature promises: a prediction a row, of the declared type."""

from mlgates.contract.errors import WrongAnswer
from mlgates.contract.scalars import json_type, problem_of
from mlgates.contract.signature import Column, Input, ModelContract, Tensor
from mlgates.endpoint_client import Json


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
        problem = problem_of(value, output.kind)
        return f" {problem}" if problem else None
    return _problem_of_array(output, value, output.row_shape)


def _problem_of_array(output: Tensor, value: Json, shape: tuple[int, ...]) -> str | None:
    if not shape:
        problem = problem_of(value, output.kind)
        return f" {problem}" if problem else None
    if not isinstance(value, list) or shape[0] not in {-1, len(value)}:
        return f" is not of the shape {output.row_shape}"
    return next(filter(None, (_problem_of_array(output, each, shape[1:]) for each in value)), None)
