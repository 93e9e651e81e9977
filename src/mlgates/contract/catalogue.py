"""The catalogue of invalid requests, made from one valid batch.

What `on_azure` says is measured with Microsoft's packages in `tests/contract/mlgates/test_what_azure_answers.py`, and
follows from their source: `azureml_inference_server_http/server/input_parsers.py` (400 and 415), `inference_schema`'s
`PandasParameterType` (`pandas.read_json`, then `astype`), `mlflow.models.utils._enforce_schema` (a missing column is an
error, an extra one a warning in a log).
"""

from collections.abc import Iterator

from mlgates.contract import invalid_bodies, invalid_tables, invalid_tensors
from mlgates.contract.invalid import Invalid
from mlgates.contract.requests import Format, encode
from mlgates.contract.signature import Batch, Column, ModelContract


def catalogue(contract: ModelContract, batch: Batch) -> Iterator[Invalid]:
    """Yield every invalid request that can be made of `batch`, a valid one with all inputs and at least one row."""
    if contract.tensors:
        form = Format.NAMED_TENSORS if contract.named else Format.TENSOR
    else:
        form = Format.SPLIT if contract.named else Format.POSITIONAL
    request = encode(batch, form)
    yield from invalid_bodies.of(request, batch)
    for param in contract.params:
        yield from invalid_bodies.of_param(request, batch, param)
    for tensor in contract.tensors:
        yield from invalid_tensors.of(contract, batch, tensor)
    if contract.columns:
        yield from invalid_tables.of_shape(contract, batch)
    for column in contract.columns:
        yield from of_column(contract, batch, column)


def of_column(contract: ModelContract, batch: Batch, column: Column) -> Iterator[Invalid]:
    """Yield the invalid requests in which `column` is what is wrong."""
    yield from invalid_tables.of_values(contract, batch, column)
    if contract.named:
        yield from invalid_tables.of_names(batch, column)
