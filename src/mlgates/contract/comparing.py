"""What changes for callers when a candidate takes the champion's place: nothing, something more, or it breaks them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mlgates.contract.signature import Column, Input, Kind, ModelContract, Param, Tensor

_TAKES = {
    Kind.LONG: {Kind.INTEGER},
    Kind.FLOAT: {Kind.INTEGER, Kind.LONG},
    Kind.DOUBLE: {Kind.INTEGER, Kind.LONG, Kind.FLOAT},
    Kind.STRING: {Kind.BINARY, Kind.DATETIME},
}
"""For each type, those whose every JSON value is also one of it."""


@dataclass(frozen=True, slots=True)
class Change:
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

    changes: tuple[Change, ...]

    @property
    def compatible(self) -> bool:
        """True when every caller of the champion can go on as before."""
        return not any(change.breaking for change in self.changes)

    @property
    def summary(self) -> str:
        """One phrase for a person."""
        if not self.changes:
            return "the contract is unchanged"
        decisive = [change for change in self.changes if change.breaking or self.compatible]
        verdict = "compatible" if self.compatible else "breaking"
        return f"{verdict}: {'; '.join(f'{change.field} {change.what}' for change in decisive)}"


def compare(champion: ModelContract, candidate: ModelContract) -> Comparison:
    """Return what changes for callers who were written for `champion`."""
    changes = [*_inputs(champion, candidate), *_outputs(champion.outputs, candidate.outputs)]
    return Comparison((*changes, *_params(champion.params, candidate.params)))


def _inputs(champion: ModelContract, candidate: ModelContract) -> Iterator[Change]:
    if bool(champion.tensors) != bool(candidate.tensors) or champion.named != candidate.named:
        yield Change("input_data", f"was {_form(champion)} and is {_form(candidate)}", breaking=True)
        return
    old, new = ({each.name: each for each in contract.inputs} for contract in (champion, candidate))
    for name in old.keys() - new.keys():
        yield Change(f"input '{name}'", "is gone, and requests that have it are refused", breaking=True)
    for name, each in new.items():
        if name in old:
            yield from _input(old[name], each)
        else:
            yield _added(each)
    moved = candidate.names[: len(champion.names)] != champion.names
    if champion.columns and moved and old.keys() <= new.keys():
        yield Change("the order of the inputs", "changed, and lists of values are read by it", breaking=True)


def _added(each: Input) -> Change:
    if not isinstance(each, Column) or each.required:
        return Change(f"input '{each.name}'", "is new and required", breaking=True)
    return Change(f"input '{each.name}'", "is new and may be left out", breaking=False)


def _input(old: Input, new: Input) -> Iterator[Change]:
    field = f"input '{new.name}'"
    if old.kind != new.kind:
        widened = old.kind in _TAKES.get(new.kind, set())
        told = f"was {old.kind} and is {new.kind}, which {'takes' if widened else 'does not take'} all of it"
        yield Change(field, told, breaking=not widened)
    if isinstance(old, Tensor) and isinstance(new, Tensor):
        yield from _shape(field, old, new)
    elif isinstance(old, Column) and isinstance(new, Column) and old.required != new.required:
        told = "is now required" if new.required else "may now be left out"
        yield Change(field, told, breaking=new.required)


def _shape(field: str, old: Tensor, new: Tensor) -> Iterator[Change]:
    if old.shape != new.shape:
        wider = len(old.shape) == len(new.shape) and all(map(_takes_length, new.shape, old.shape))
        yield Change(field, f"had shape {old.shape} and has {new.shape}", breaking=not wider)
    if old.dtype != new.dtype and old.kind == new.kind:
        yield Change(field, f"was {old.dtype} and is {new.dtype}", breaking=not np.can_cast(old.dtype, new.dtype))


def _takes_length(new: int, old: int) -> bool:
    return new in {-1, old}


def _outputs(old: Sequence[Input], new: Sequence[Input]) -> Iterator[Change]:
    """Any change of what is answered can break those who read it, a narrower type excepted."""
    if not old:
        return
    if [each.name for each in old] != [each.name for each in new]:
        yield Change("the answer", f"had {_names(old)} and has {_names(new)}", breaking=True)
        return
    for one, other in zip(old, new, strict=True):
        field = f"output '{one.name}'" if one.name else "the prediction"
        if one.kind != other.kind:
            narrowed = other.kind in _TAKES.get(one.kind, set())
            yield Change(field, f"was {one.kind} and is {other.kind}", breaking=not narrowed)
        if _shape_of(one) != _shape_of(other):
            yield Change(field, f"had shape {_shape_of(one)} and has {_shape_of(other)}", breaking=True)


def _params(old: Sequence[Param], new: Sequence[Param]) -> Iterator[Change]:
    before, after = ({param.name: param for param in params} for params in (old, new))
    for name in before.keys() - after.keys():
        yield Change(f"parameter '{name}'", "is gone", breaking=True)
    for name in after.keys() - before.keys():
        yield Change(f"parameter '{name}'", "is new, and has a default", breaking=False)
    for name in before.keys() & after.keys():
        one, other = before[name], after[name]
        field = f"parameter '{name}'"
        if (one.kind, one.listed) != (other.kind, other.listed):
            widened = one.listed == other.listed and one.kind in _TAKES.get(other.kind, set())
            yield Change(field, f"was {one.kind} and is {other.kind}", breaking=not widened)
        if one.default != other.default:
            yield Change(field, f"is {other.default!r} by default, was {one.default!r}", breaking=True)


def _form(contract: ModelContract) -> str:
    return f"{'named' if contract.named else 'unnamed'} {'tensors' if contract.tensors else 'columns'}"


def _names(each: Sequence[Input]) -> str:
    return ", ".join(one.name or "one unnamed value" for one in each) or "no declared type"


def _shape_of(each: Input) -> tuple[int, ...]:
    return each.row_shape if isinstance(each, Tensor) else ()
