"""A model that cannot be asked, for as long as one looks whether training says so."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import numpy as np

_METHODS = ("predict", "predict_proba", "decision_function", "score")


class ModelIsBroken(RuntimeError):
    """What a sabotaged model raises."""


class Fault(StrEnum):
    """How a model fails."""

    RAISES = "raises an error when it is asked"
    SHORT = "answers one row too few"


@contextmanager
def broken(model: Any, fault: Fault) -> Iterator[list[str]]:
    """Break all models of the class of `model`; yield the methods that were called meanwhile."""
    kind, called = type(model), list[str]()
    own = {name: vars(kind).get(name) for name in _METHODS if hasattr(model, name)}
    for name in own:
        setattr(kind, name, _broken(name, getattr(kind, name), fault, called))
    try:
        yield called
    finally:
        for name, before in own.items():
            if before is None:
                delattr(kind, name)
            else:
                setattr(kind, name, before)


def _broken(name: str, works: Callable[..., Any], fault: Fault, called: list[str]) -> Callable[..., Any]:
    def ask(self: Any, *arguments: Any, **options: Any) -> Any:
        called.append(name)
        if fault is Fault.RAISES or name == "score":
            raise ModelIsBroken(f"{name}: the unit suite broke this model, to see whether training says so")
        return np.asarray(works(self, *arguments, **options))[:-1]

    return ask
