"""Writes the settings of the checks into docs/gates.md, from the code: `python docs/gates_reference.py`."""

import sys
import types
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, RootModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from mlgates.evaluation.target import EvaluationConfig, LabelValue
from mlgates.gates.checks import BUILT_IN

PAGE = Path(__file__).with_name("gates.md")
SCALARS = get_args(LabelValue)
BEGIN, END = "<!-- made by docs/gates_reference.py: -->\n", "<!-- up to here -->\n"
_NAMES = {float: "number", int: "whole number", str: "text", bool: "true or false"}


def reference() -> str:
    """Return a section for `evaluation` and for each type of check: what it looks at, and its settings."""
    head = ["### evaluation", "", " ".join((EvaluationConfig.__doc__ or "").split()), "", *_table(EvaluationConfig), ""]
    return "\n".join([*head, *(line for kind in BUILT_IN for line in _section(kind))])


def put(page: str) -> str:
    """Return `page` with the reference between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{reference()}\n{END}{after}"


def _section(kind: str) -> Iterator[str]:
    check = BUILT_IN[kind]
    module = sys.modules[check.config.__module__]
    first = (module.__doc__ or "").split("\n\n")[0]
    yield from (f"### {kind}", "", " ".join(first.split()), "")
    if issubclass(check.config, RootModel):
        (bounds,) = get_args(check.config.model_fields["root"].annotation)[1:]
        yield from (
            "By the name of each metric: one that training logs, or else a score, which is taken of the held-out rows:",
            "",
            *_table(bounds),
            "",
        )
    elif check.config.model_fields:
        yield from (*_table(check.config), "")
    else:
        yield from ("No settings.", "")


def _table(declared: type[BaseModel]) -> Iterator[str]:
    yield from ("| setting | what it says | kind | default |", "|---|---|---|---|")
    for name, field in declared.model_fields.items():
        cells = (f"`{name}`", field.description or "", _kind(field.annotation), _default(field))
        yield f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"


def _kind(annotation: Any) -> str:
    if annotation in _NAMES:
        return _NAMES[annotation]
    if isinstance(annotation, type):
        names = annotation if issubclass(annotation, StrEnum) else (f"`{name}`" for name in annotation.model_fields)
        return (" or " if issubclass(annotation, StrEnum) else ", ").join(names)
    origin, inner = get_origin(annotation), [each for each in get_args(annotation) if each is not types.NoneType]
    if origin in {types.UnionType, Union}:
        return "value" if len(inner) == len(SCALARS) else " or ".join(map(_kind, inner))
    by_origin: dict[Any, Callable[[], str]] = {
        Literal: lambda: " or ".join(map(str, inner)),
        Annotated: lambda: _kind(inner[0]),
        dict: lambda: f"{_kind(inner[1])} by {_kind(inner[0])}",
    }
    return by_origin.get(origin, lambda: f"list of {_plural(inner[0])}")()


def _plural(annotation: Any) -> str:
    return f"{_kind(annotation)}{'' if get_origin(annotation) is Literal else 's'}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return ", ".join(f"`{name}: {each:g}`" for name, each in value.model_dump(exclude_none=True).items())
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value in (None, [], {}, "", PydanticUndefined) else str(value)


if __name__ == "__main__":
    PAGE.write_text(put(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
