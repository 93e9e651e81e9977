"""The samples of a project as requests, typed by the model's signature, and proved before anything is deployed."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from mlgates.config.declaring import read_yaml
from mlgates.config.settings import Settings
from mlgates.contract.scoring_requests import Format, RequestRefused, azure_takes, encode, formats_of, parse
from mlgates.contract.signature import Batch, Column, DataType, ModelContract, Tensor, problem_of
from mlgates.core.errors import SampleRefused
from mlgates.delivery.batch import sample_files
from mlgates.delivery.online import sample_request
from mlgates.endpoint_client import Json, ScoringRequest
from mlgates.tables import UnreadableData, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 100
"""Of a batch sample in one request: as much as a caller may send, and no load."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity|nan)", re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?\d+")
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Sample:
    """A request of the samples."""

    request: ScoringRequest
    rows: int | None
    """How many predictions must come; None when only a scoring script knows what is asked."""


@dataclass(frozen=True, slots=True)
class Samples:
    """What a canary asks both versions."""

    requests: tuple[Sample, ...]
    contract: ModelContract | None = None
    """What the answers are checked against; None when any list of predictions will do."""
    left_out: str = ""
    """Why the rows of the batch sample are not asked; empty when they are."""

    @property
    def summary(self) -> str:
        """In one phrase."""
        rows = sum(sample.rows or 1 for sample in self.requests)
        text = f"{len(self.requests)} requests, {rows} rows, typed by the signature"
        return f"{text}; without the batch sample: {self.left_out}" if self.left_out else text


def read_samples(settings: Settings, contract: ModelContract | None) -> Samples:
    """Return the online sample and the rows of the batch sample as requests of the model with `contract`.

    Without a contract, or with a scoring script, the online sample is sent as it is. Raises `SampleRefused` with
    file, row and column when the model's signature does not allow a sample, `AssetMissing` when it is not
    there.
    """
    online = sample_request(settings)
    if contract is None or _has_script(settings):
        with _named(settings, settings.online_sample_request, "ONLINE_SAMPLE_REQUEST"):
            _check_json(online)
        return Samples((Sample(online, None),), left_out=_why(contract))
    with _named(settings, settings.online_sample_request, "ONLINE_SAMPLE_REQUEST"):
        batch = _parsed(contract, online)
    requests = [Sample(encode(batch, _form(contract)), len(batch.rows))]
    if not _is_table(contract):
        return Samples(tuple(requests), contract, left_out="its rows are no tensors of the signature's shape")
    for file in sample_files(settings):
        with _named(settings, settings.project.shown(file), "BATCH_SAMPLE_REQUEST"):
            requests += _requests(contract, _typed(contract, read_text(file)))
    return Samples(tuple(requests), contract)


def _has_script(settings: Settings) -> bool:
    file = settings.project.online / "online-deployment.yml"
    declared = read_yaml(file, settings.project.shown(file), "it declares the online deployment")
    return isinstance(declared, dict) and bool(declared.get("code_configuration"))


def _why(contract: ModelContract | None) -> str:
    return "a scoring script takes what it likes" if contract else "the model has no signature that says what it takes"


@contextmanager
def _named(settings: Settings, shown: str, key: str) -> "Iterator[None]":
    """Say of which sample an error is."""
    try:
        yield
    except (RequestRefused, UnreadableData) as error:
        source = settings.sources[key]
        raise SampleRefused(
            f"{shown} ({key}, {source}): {error}; mend the sample: nothing was deployed, and the model is not judged"
        ) from error


def _check_json(request: ScoringRequest) -> None:
    try:
        json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise RequestRefused(f"not JSON ({error})") from error


def _parsed(contract: ModelContract, request: ScoringRequest) -> Batch:
    """Return what a request asks, null allowed where a model sees a missing value."""
    batch = parse(_roomy(contract), request.body, request.headers)
    _check_columns(contract, batch.names)
    return batch


def _roomy(contract: ModelContract) -> ModelContract:
    """Return the contract with room for null, in required columns too: pyfunc takes NaN there all the same."""
    inputs = (
        replace(each, required=False) if isinstance(each, Column) and _has_room(each) else each
        for each in contract.inputs
    )
    return replace(contract, inputs=tuple(inputs))


def _has_room(each: Column | Tensor) -> bool:
    return isinstance(each, Column) and not each.type.whole and each.type is not DataType.BOOLEAN


def _check_columns(contract: ModelContract, names: Sequence[str]) -> None:
    if lacking := next((each.name for each in contract.columns if each.required and each.name not in names), None):
        raise RequestRefused(f"column '{lacking}' is missing; there are {', '.join(names) or 'none'}")


def _form(contract: ModelContract) -> Format:
    """Return a format that Azure's own scoring script takes; a list where there is none."""
    forms = formats_of(contract)
    return next((form for form in forms if azure_takes(form, contract)), forms[0])


def _is_table(contract: ModelContract) -> bool:
    """Return whether a row of a file can be a row of the model's input."""
    if not contract.tensors:
        return True
    shapes = [tensor.row_shape for tensor in contract.tensors]
    return all(shape == () for shape in shapes) if contract.named else len(shapes[0]) == 1


def _typed(contract: ModelContract, table: pd.DataFrame) -> Batch:
    """Return the rows of a table in the types of the signature; columns that it does not know are left out."""
    found = {str(name): list(values) for name, values in table.items()}
    if contract.tensors and not contract.named:
        return _tensor_rows(contract.tensors[0], found)
    if contract.named:
        chosen = [each for each in contract.inputs if each.name in found]
        _check_columns(contract, list(found))
    else:
        chosen = list(contract.inputs)
        if len(found) != len(chosen):
            raise RequestRefused(f"it has {len(found)} columns, and the signature {len(chosen)}")
        found = dict(zip(contract.names, found.values(), strict=True))
    columns = [[_value(text, each, row) for row, text in enumerate(found[each.name], 1)] for each in chosen]
    return Batch(tuple(each.name for each in chosen), tuple(zip(*columns, strict=True)))


def _tensor_rows(tensor: Tensor, found: Mapping[str, Sequence[Any]]) -> Batch:
    (length,) = tensor.row_shape
    if length not in {-1, len(found)}:
        raise RequestRefused(f"it has {len(found)} columns, and a row of the signature's tensor {length} values")
    columns = [
        [_value(text, Column(name, tensor.type), row) for row, text in enumerate(values, 1)]
        for name, values in found.items()
    ]
    rows: list[tuple[Json, ...]] = [(list(row),) for row in zip(*columns, strict=True)]
    return Batch((tensor.name,), tuple(rows))


def _value(text: Any, each: Column | Tensor, row: int) -> Json:
    """Return one value of a table as JSON has it. Raises `RequestRefused` with row and column."""
    missing = text is None or (isinstance(text, float) and math.isnan(text))
    if missing and _has_room(each):
        return None
    value = None if missing else _read(text, each.type)
    if problem := problem_of(value, each.type):
        shown = "" if missing else f" '{text}'"
        raise RequestRefused(f"row {row}, column '{each.name}'{shown} {problem}")
    return value


def _read(text: Any, data_type: DataType) -> Json:
    """Return what `text` says in the type of a column; itself when it does not say such a thing."""
    if not isinstance(text, str):
        given: Json = text
        return given
    if data_type is DataType.BOOLEAN:
        return _BOOLEANS.get(text.strip().lower(), text)
    if not data_type.number or not _NUMBER.fullmatch(text.strip()):
        return text
    if data_type.whole and _WHOLE.fullmatch(text.strip()):
        return int(text)  # exact, beyond the whole numbers that a float holds too
    number = float(text)
    return int(number) if data_type.whole and number.is_integer() else number


def _requests(contract: ModelContract, batch: Batch) -> list[Sample]:
    parts = [replace(batch, rows=batch.rows[start : start + ROWS]) for start in range(0, len(batch.rows), ROWS)]
    return [Sample(encode(part, _form(contract)), len(part.rows)) for part in parts]
