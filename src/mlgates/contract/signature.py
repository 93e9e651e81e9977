"""The contract as a value: inputs, outputs and parameters of a model, with the ranges that are known of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from mlgates.contract.data_types import DataType
from mlgates.endpoint_client import Json


@dataclass(frozen=True, slots=True)
class ValueRange:
    """The values that an expectation suite allows in a column; both ends are allowed themselves."""

    minimum: float | None = None
    maximum: float | None = None
    whole: bool = False
    """True when the column holds whole numbers, whatever type the signature gives it."""
    values: tuple[Json, ...] = ()
    """The only values allowed; empty when the column is not a choice."""


UNLIMITED = ValueRange()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a frame; a model with an unnamed signature has columns with the names "0", "1", ..."""

    name: str
    type: DataType
    required: bool = True
    limits: ValueRange = UNLIMITED

    @property
    def nullable(self) -> bool:
        """True when null stands for an absent value: in columns that may be left out, of a type with room for it."""
        return not self.required and not self.type.whole and self.type is not DataType.BOOLEAN


@dataclass(frozen=True, slots=True)
class Tensor:
    """One array; `name` is empty for the only, unnamed one. A length of -1 in `shape` is any length."""

    name: str
    type: DataType
    shape: tuple[int, ...]
    dtype: str
    """As NumPy spells it, such as `int64`."""

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of one row: all lengths but the first."""
        return self.shape[1:]


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of `predict`; callers may leave it out, and then it is `default`."""

    name: str
    type: DataType
    default: Json = None
    listed: bool = False
    """True for a list of `type`."""


Input: TypeAlias = Column | Tensor


@dataclass(frozen=True, slots=True)
class ModelContract:
    """What a model promises; made by `read_contract`."""

    inputs: tuple[Input, ...]
    outputs: tuple[Input, ...] = ()
    """Empty when the signature says nothing about the answer."""
    params: tuple[Param, ...] = ()
    example: tuple[tuple[Json, ...], ...] = ()
    """The rows of the input example, a value an input; empty without one."""
    named: bool = True
    """False when the signature has no names, and only position tells the inputs apart."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The inputs of a column signature; empty for tensors."""
        return tuple(each for each in self.inputs if isinstance(each, Column))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The inputs of a tensor signature; empty for columns."""
        return tuple(each for each in self.inputs if isinstance(each, Tensor))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the inputs, in the order of the signature."""
        return tuple(each.name for each in self.inputs)


def last_required(contract: ModelContract) -> int:
    """Return how many values a list must have at least: up to the last column that may not be left out."""
    return max((place for place, column in enumerate(contract.columns, 1) if column.required), default=0)


@dataclass(frozen=True, slots=True)
class Batch:
    """What a request means, whatever its format: rows with a value for each of the inputs named."""

    names: tuple[str, ...]
    rows: tuple[tuple[Json, ...], ...]
    params: Mapping[str, Json] = field(default_factory=dict)
