"""Examples of a strategy as a list: for a job, or a run that counts, that takes many at once."""

from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

Drawn = TypeVar("Drawn")


def generated(strategy: SearchStrategy[Drawn], *, examples: int | None = None) -> list[Drawn]:
    """Return as many examples as the profile asks for, or `examples`."""
    found: list[Drawn] = []
    asked = settings() if examples is None else settings(max_examples=examples, suppress_health_check=[*HealthCheck])

    @settings(asked, phases=[Phase.generate], database=None)
    @given(strategy)
    def collect(drawn: Drawn) -> None:
        found.append(drawn)

    collect()
    return found
