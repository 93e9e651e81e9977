"""Valid requests to draw, by hypothesis: typed, in the ranges that the expectation suites know.

Needs hypothesis, which a test environment has; nothing else of mlgates imports this module.
"""

import base64
from dataclasses import replace
from datetime import datetime

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from mlgates.contract.scoring_requests import Format, encode
from mlgates.contract.signature import (
    INTEGERS,
    LARGEST,
    UNLIMITED,
    YEARS,
    Batch,
    Column,
    DataType,
    Input,
    ModelContract,
    Param,
    ValueRange,
)
from mlgates.endpoint_client import Json, ScoringRequest

MAGNITUDE = 1e9
"""The largest number drawn where no suite knows the range: models square and sum, and may overflow beyond."""

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def values(data_type: DataType, limits: ValueRange = UNLIMITED) -> SearchStrategy[Json]:
    """Draw values of `data_type` as JSON has them; a whole double is written now as 2, now as 2.0."""
    if limits.values:
        return st.sampled_from(limits.values)
    match data_type:
        case DataType.BOOLEAN:
            return st.booleans()
        case DataType.STRING:
            return _TEXT
        case DataType.BINARY:
            return st.binary(max_size=20).map(lambda content: base64.b64encode(content).decode())
        case DataType.DATETIME:
            first, last = datetime(YEARS[0], 1, 1), datetime(YEARS[1], 12, 31)  # noqa: DTZ001 - they have no time zone
            return st.datetimes(first, last).map(datetime.isoformat)
    return _numbers(data_type, limits)


def _numbers(data_type: DataType, limits: ValueRange) -> SearchStrategy[Json]:
    least, most = INTEGERS.get(data_type) or (-LARGEST[data_type], LARGEST[data_type])
    low = max(least, -MAGNITUDE if limits.minimum is None else limits.minimum)
    high = min(most, MAGNITUDE if limits.maximum is None else limits.maximum)
    whole = st.integers(int(low), int(high))
    if data_type.whole:
        return whole
    if limits.whole:
        return whole | whole.map(float)
    return st.floats(low, high, width=32 if data_type is DataType.FLOAT else 64) | whole


def inputs(each: Input) -> SearchStrategy[Json]:
    """Draw one row's value of an input: a scalar, or nested lists of the tensor's shape, its lengths fixed."""
    if isinstance(each, Column):
        present = values(each.type, each.limits)
        return st.none() | present if each.nullable else present
    drawn: SearchStrategy[Json] = values(each.type, _limits_of_dtype(each.dtype))
    for length in reversed(each.row_shape):
        drawn = st.lists(drawn, min_size=length, max_size=length)
    return drawn


def shaped(each: Input) -> SearchStrategy[Input]:
    """Draw the input with any length fixed: the rows of one request make one array, so they are all of one shape."""
    if isinstance(each, Column):
        return st.just(each)
    lengths = st.tuples(*(st.integers(1, 3) if length == -1 else st.just(length) for length in each.row_shape))
    return lengths.map(lambda drawn: replace(each, shape=(-1, *drawn)))


def _limits_of_dtype(dtype: str) -> ValueRange:
    """Return what a NumPy integer of few bits holds; the others are cut by `MAGNITUDE`."""
    bits = int("".join(filter(str.isdigit, dtype)) or 64)
    if dtype.startswith("uint"):
        return ValueRange(0, min(2**bits - 1, MAGNITUDE))
    return ValueRange(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if dtype.startswith("int") and bits < 32 else UNLIMITED


def params(contract: ModelContract) -> SearchStrategy[dict[str, Json]]:
    """Draw any choice of the model's parameters, none to all."""
    return st.fixed_dictionaries({}, optional={param.name: _param(param) for param in contract.params})


def _param(param: Param) -> SearchStrategy[Json]:
    one = values(param.type)
    return st.lists(one, min_size=1, max_size=3) if param.listed else one


@st.composite
def batches(draw: st.DrawFn, contract: ModelContract, *, max_rows: int = 5, whole: bool = False) -> Batch:
    """Draw a batch of 1 to `max_rows` rows; optional columns are left out at times, unless `whole`."""
    chosen = tuple(each for each in contract.inputs if whole or _required(each) or draw(st.booleans()))
    row = st.tuples(*(inputs(draw(shaped(each))) for each in chosen))
    rows = draw(st.lists(row, min_size=1, max_size=max_rows))
    return Batch(tuple(each.name for each in chosen), tuple(rows), draw(params(contract)))


@st.composite
def requests(
    draw: st.DrawFn, contract: ModelContract, form: Format, *, max_rows: int = 5
) -> tuple[Batch, ScoringRequest]:
    """Draw a batch with the request that asks it in `form`, its columns in any order where they have names."""
    positional = form in {Format.POSITIONAL, Format.TENSOR}
    batch = draw(batches(contract, max_rows=max_rows, whole=positional))
    order = batch.names if positional else draw(st.permutations(batch.names))
    return batch, encode(batch, form, order=order)


def _required(each: Input) -> bool:
    return not isinstance(each, Column) or each.required
