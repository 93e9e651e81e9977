"""What a validation found: plain values, for reports and gates that need not know Great Expectations."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FailedExpectation:
    """One expectation that the data does not meet."""

    expectation: str
    """Its type, such as `expect_column_values_to_be_between`."""
    column: str | None
    """None when it is about the table."""
    wanted: str
    """Its settings, such as `min_value=30, max_value=400`."""
    observed: str
    remedy: str
    """What to do about it: the expectation's notes in the suite."""

    def __str__(self) -> str:
        subject = f"{self.column}: " if self.column else ""
        wanted = f" ({self.wanted})" if self.wanted else ""
        remedy = f". {self.remedy}" if self.remedy else ""
        return f"{subject}{self.expectation}{wanted}: found {self.observed}{remedy}"


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """How one table fared against one suite."""

    suite: str
    checked: int
    """How many expectations the suite has."""
    failed: tuple[FailedExpectation, ...]
    """In the order of the suite."""
    docs: Path | None = None
    """The first page of the Data Docs; None when none were asked for."""

    @property
    def passed(self) -> bool:
        """True when every expectation is met."""
        return not self.failed

    @property
    def summary(self) -> str:
        """One line for a person, and one more for each expectation that is not met."""
        head = f"{self.suite}: {self.checked - len(self.failed)} of {self.checked} expectations met"
        return "\n".join([head, *(f"  {failed}" for failed in self.failed)])
