"""An invalid request as a value: what is wrong with it, what the refusal must name, and what Azure ML makes of it."""

from dataclasses import dataclass
from enum import StrEnum

from mlgates.endpoint_client import ScoringRequest


class OnAzure(StrEnum):
    """What Microsoft's own parts answer: the inference server, and the scoring script that Azure ML generates."""

    REFUSES = "refuses"
    """The server answers 400 or 415 and says why."""
    FAILS = "fails"
    """The scoring script raises: 500, for callers 424, whatever is wrong, and no message but to look into the logs."""
    PREDICTS = "predicts"
    """200, for a question that nobody asked."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """One request of the catalogue."""

    name: str
    names: str
    """What the message of the refusal must contain, in any case: a column where one is wrong."""
    on_azure: OnAzure
    """Measured for a model with named columns, all required and numbers, and an input example."""
    request: ScoringRequest
