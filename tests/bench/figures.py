"""A measured figure."""

import statistics
from dataclasses import dataclass, field


class MeasureFailed(Exception):
    """A measure that gave no figure to trust; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Repeated values of one measure, in `unit`; the median shall not pass `goal`, or shall reach `at_least`."""

    what: str
    unit: str
    values: tuple[float, ...]
    goal: float | None = None
    at_least: float | None = None
    median: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "median", statistics.median(self.values))

    @property
    def target(self) -> str:
        """What the median should be, as text; empty when nothing is asked of it."""
        if self.goal is not None:
            return f"at most {self.goal:g} {self.unit}"
        return f"at least {self.at_least:g} {self.unit}" if self.at_least is not None else ""

    @property
    def met(self) -> bool:
        """Whether the median is what it should be."""
        too_much = self.goal is not None and self.median > self.goal
        too_little = self.at_least is not None and self.median < self.at_least
        return not (too_much or too_little)
