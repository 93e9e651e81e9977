"""The words of gates.yml that several checks share."""

from pydantic import model_validator

from mlgates.config.declaring import Strict

__all__ = ["Bounds", "Strict"]


class Bounds(Strict):
    """A floor, a ceiling, or both."""

    min: float | None = None
    """The floor: the figure itself is allowed."""
    max: float | None = None
    """The ceiling: the figure itself is allowed."""

    @model_validator(mode="after")
    def _is_a_range(self) -> "Bounds":
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is over max {self.max:g}")
        return self
