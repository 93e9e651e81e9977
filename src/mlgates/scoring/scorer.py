"""The one door to whatever answers requests: a process, a local deployment, a live endpoint."""

from collections.abc import Mapping
from typing import Protocol

from mlgates.scoring.answer import Answer
from mlgates.scoring.request import Request


class Scorer(Protocol):
    """Answers requests; whether by HTTP is its own affair."""

    def score(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Answer one request."""
        ...


def ask(scorer: Scorer, request: Request) -> Answer:
    """Send `request`."""
    return scorer.score(request.body, request.headers)
