"""Parameters of a prediction, sent beside the data: known by name, and of the type that the signature declares."""

from __future__ import annotations

import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amlocal.serving.refusal import Refusal
from amlocal.serving.values import RULES, shown


@dataclass(frozen=True)
class Param:
    """A parameter of the model; `kind` is MLflow's name of its type, `optional` one whose default is null."""

    name: str
    kind: str
    listed: bool = False
    optional: bool = False


def read_params(sent: Any, params: Sequence[Param]) -> Mapping[str, Any]:
    """Return the parameters as they were sent; none for null. Raises `Refusal` naming the one that is wrong.

    MLflow checks them too, and takes null, or whole numbers of any length, for what they are not.
    """
    if sent is None:
        return {}
    if not isinstance(sent, dict):
        raise Refusal("'params' must be an object.")
    known = {param.name: param for param in params}
    for name, value in sent.items():
        if name not in known:
            raise Refusal(f"Parameter '{name}' is not one of the model's: {', '.join(sorted(known)) or 'none'}.")
        _check(known[name], value)
    return sent


def _check(param: Param, value: Any) -> None:
    rule = RULES.get(param.kind)
    if rule is None or (value is None and param.optional):  # of a type that is MLflow's to check
        return
    if param.listed and not isinstance(value, list):
        raise Refusal(f"Parameter '{param.name}': {shown(value)} is not a list.")
    for each in value if param.listed else [value]:
        try:
            rule.read([each])
        except (ValueError, OverflowError, binascii.Error) as error:
            message = f"Parameter '{param.name}': {shown(each)} is not {rule.expected} ({param.kind})."
            raise Refusal(message) from error
