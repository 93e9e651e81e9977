"""What can go wrong between a caller and a model."""

from dataclasses import dataclass
from typing import ClassVar

from mlgates.core.errors import ConfigurationError, MlgatesError


class UnusableSignature(ConfigurationError):
    """A model folder has no signature, or one that no contract can be drawn from."""


class ContractBroken(MlgatesError):
    """A scorer did not do what the contract says; the message holds the request that shows it."""

    exit_code = 8


class BreakingChange(MlgatesError):
    """A candidate does not keep what the champion promised to its callers."""

    exit_code = 8


class WrongAnswer(MlgatesError):
    """An answer of status 200 that is not what the signature promises."""

    exit_code = 8


@dataclass
class RequestRefused(MlgatesError):
    """A request that the contract does not allow, with the HTTP status that says so."""

    exit_code: ClassVar[int] = 9

    message: str
    """Names the field that is wrong, and what was expected of it."""
    status: int = 400

    def __str__(self) -> str:
        return self.message
