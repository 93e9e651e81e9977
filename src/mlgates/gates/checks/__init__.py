"""The kinds of check, by the names that gates.yml uses. A new kind is a file here and a line below."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from mlgates.gates.checks import champion, metrics, suites
from mlgates.gates.evidence import Evidence
from mlgates.gates.findings import Finding


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of check: what may be declared of it, and the function that looks."""

    declared: type[BaseModel]
    check: Callable[[Any, Evidence], Iterator[Finding]]
    """Takes what was declared and the evidence; raises `CouldNotRun` when that is not there."""
    wants_model: bool = True
    """False for a check that is about a commit."""


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "suites": Kind(suites.Declared, suites.check, wants_model=False),
        "metrics": Kind(metrics.Declared, metrics.check),
        "champion": Kind(champion.Declared, champion.check),
    }
)
