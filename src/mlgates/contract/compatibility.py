"""What changes for callers when a candidate takes the champion's place: nothing, something more, or it breaks them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mlgates.contract.signature import Column, DataType, Input, ModelContract, Param, Tensor
from mlgates.core.errors import ExitCode, MlgatesError

_TAKES = {
    DataType.LONG: {DataType.INTEGER},
    DataType.FLOAT: {DataType.INTEGER, DataType.LONG},
    DataType.DOUBLE: {DataType.INTEGER, DataType.LONG, DataType.FLOAT},
    DataType.STRING: {DataType.BINARY, DataType.DATETIME},
}
"""For each type, those whose every JSON value is also one of it."""


class BreakingChange(MlgatesError):
    """A candidate does not keep what the champion promised to its callers."""

    exit_code = ExitCode.CONTRACT_BROKEN


@dataclass(frozen=True, slots=True)
class ContractChange:
    """One difference between two contracts."""

    field: str
    what: str
    breaking: bool
    """True when a request that the champion answers, or code that reads its answers, may fail."""

    def __str__(self) -> str:
        return f"{'breaking' if self.breaking else 'compatible'}: {self.field} {self.what}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The changes from champion to candidate."""

    changes: tuple[ContractChange, ...]

    @property
    def compatible(self) -> bool:
        """True when every caller of the champion can go on as before."""
        return not any(change.breaking for change in self.changes)

    @property
    def summary(self) -> str:
        """All of it in one phrase."""
        if not self.changes:
            return "the contract is unchanged"
        decisive = [change for change in self.changes if change.breaking or self.compatible]
        verdict = "compatible" if self.compatible else "breaking"
        return f"{verdict}: {'; '.join(f'{change.field} {change.what}' for change in decisive)}"


def compare(champion: ModelContract, candidate: ModelContract) -> Comparison:
    """Return what changes for callers who were written for `champion`."""
    changes = [*_inputs(champion, candidate), *_outputs(champion.outputs, candidate.outputs)]
    return Comparison((*changes, *_params(champion.params, candidate.params)))


def _inputs(champion: ModelContract, candidate: ModelContract) -> Iterator[ContractChange]:
    if bool(champion.tensors) != bool(candidate.tensors) or champion.named != candidate.named:
        yield ContractChange("input_data", f"was {_form(champion)} and is {_form(candidate)}", breaking=True)
        return
    old, new = ({each.name: each for each in contract.inputs} for contract in (champion, candidate))
    for name in old.keys() - new.keys():
        yield ContractChange(f"input '{name}'", "is gone, and requests that have it are refused", breaking=True)
    for name, each in new.items():
        if name in old:
            yield from _input(old[name], each)
        else:
            yield _added(each)
    moved = candidate.names[: len(champion.names)] != champion.names
    if champion.columns and moved and old.keys() <= new.keys():
        yield ContractChange("the order of the inputs", "changed, and lists of values are read by it", breaking=True)


def _added(each: Input) -> ContractChange:
    if not isinstance(each, Column) or each.required:
        return ContractChange(f"input '{each.name}'", "is new and required", breaking=True)
    return ContractChange(f"input '{each.name}'", "is new and may be left out", breaking=False)


def _input(old: Input, new: Input) -> Iterator[ContractChange]:
    field = f"input '{new.name}'"
    if old.type != new.type:
        widened = old.type in _TAKES.get(new.type, set())
        change = f"was {old.type} and is {new.type}, which {'takes' if widened else 'does not take'} all of it"
        yield ContractChange(field, change, breaking=not widened)
    if isinstance(old, Tensor) and isinstance(new, Tensor):
        yield from _shape(field, old, new)
    elif isinstance(old, Column) and isinstance(new, Column) and old.required != new.required:
        change = "is now required" if new.required else "may now be left out"
        yield ContractChange(field, change, breaking=new.required)


def _shape(field: str, old: Tensor, new: Tensor) -> Iterator[ContractChange]:
    if old.shape != new.shape:
        wider = len(old.shape) == len(new.shape) and all(map(_takes_length, new.shape, old.shape))
        yield ContractChange(field, f"had shape {old.shape} and has {new.shape}", breaking=not wider)
    if old.dtype != new.dtype and old.type == new.type:
        yield ContractChange(
            field, f"was {old.dtype} and is {new.dtype}", breaking=not np.can_cast(old.dtype, new.dtype)
        )


def _takes_length(new: int, old: int) -> bool:
    return new in {-1, old}


def _outputs(old: Sequence[Input], new: Sequence[Input]) -> Iterator[ContractChange]:
    """Any change of what is answered can break those who read it, a narrower type excepted."""
    if not old:
        return
    if [each.name for each in old] != [each.name for each in new]:
        yield ContractChange("the answer", f"had {_names(old)} and has {_names(new)}", breaking=True)
        return
    for one, other in zip(old, new, strict=True):
        field = f"output '{one.name}'" if one.name else "the prediction"
        if one.type != other.type:
            narrowed = other.type in _TAKES.get(one.type, set())
            yield ContractChange(field, f"was {one.type} and is {other.type}", breaking=not narrowed)
        if _shape_of(one) != _shape_of(other):
            yield ContractChange(field, f"had shape {_shape_of(one)} and has {_shape_of(other)}", breaking=True)


def _params(old: Sequence[Param], new: Sequence[Param]) -> Iterator[ContractChange]:
    before, after = ({param.name: param for param in params} for params in (old, new))
    for name in before.keys() - after.keys():
        yield ContractChange(f"parameter '{name}'", "is gone", breaking=True)
    for name in after.keys() - before.keys():
        yield ContractChange(f"parameter '{name}'", "is new, and has a default", breaking=False)
    for name in before.keys() & after.keys():
        one, other = before[name], after[name]
        field = f"parameter '{name}'"
        if (one.type, one.listed) != (other.type, other.listed):
            widened = one.listed == other.listed and one.type in _TAKES.get(other.type, set())
            yield ContractChange(field, f"was {one.type} and is {other.type}", breaking=not widened)
        if one.default != other.default:
            yield ContractChange(field, f"is {other.default!r} by default, was {one.default!r}", breaking=True)


def _form(contract: ModelContract) -> str:
    return f"{'named' if contract.named else 'unnamed'} {'tensors' if contract.tensors else 'columns'}"


def _names(each: Sequence[Input]) -> str:
    return ", ".join(one.name or "one unnamed value" for one in each) or "no declared type"


def _shape_of(each: Input) -> tuple[int, ...]:
    return each.row_shape if isinstance(each, Tensor) else ()
