"""What stops a batch job."""

from __future__ import annotations


class ScoringError(Exception):
    """The job cannot go on; the message is what its user reads."""


class UnreadableFile(ScoringError):
    """One input file cannot be scored; the others can."""
