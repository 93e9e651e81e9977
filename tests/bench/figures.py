"""A measured figure."""

import statistics
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Figure:
    """Repeated values of one measure; `goal` is what the median should not pass, in `unit`."""

    what: str
    unit: str
    values: tuple[float, ...]
    goal: float | None = None
    median: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "median", statistics.median(self.values))
