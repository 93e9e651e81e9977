"""What stops a batch job."""

from __future__ import annotations

_LONGEST = 1000  # characters of a reason: some errors quote the whole of the value that they are about


class ScoringError(Exception):
    """The job cannot go on; the message is what its user reads."""


class UnreadableFile(ScoringError):
    """One input file cannot be scored; the others can."""


def reason_of(error: BaseException) -> str:
    """Return what to say of an error: its type and message, in one line of a length that a log can bear."""
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]} …"
