"""What a validation found, as plain values: for reports and gates that need not know Great Expectations."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

_LONGEST: Final = 200  # characters; an exception may quote a whole column
_SOME: Final = 5  # of the values that are wrong


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
        """One line, and one more for each expectation that is not met."""
        head = f"{self.suite}: {self.checked - len(self.failed)} of {self.checked} expectations met"
        return "\n".join([head, *(f"  {failed}" for failed in self.failed)])


def failed_expectation(result: Mapping[str, Any], columns: Collection[str]) -> FailedExpectation:
    """Describe a result that is no success, of a table with these columns."""
    configuration = result["expectation_config"]
    column = configuration["kwargs"].get("column")
    settings = {key: value for key, value in configuration["kwargs"].items() if key not in ("batch_id", "column")}
    # A missing column makes each expectation about it fail in a way of its own; they are reported alike.
    missing = column is not None and column not in columns
    observed = "no such column" if missing else _observed(result["result"], result["exception_info"])
    return FailedExpectation(
        expectation=configuration["type"],
        column=column,
        wanted=", ".join(f"{key}={_shown(value)}" for key, value in settings.items()),
        observed=observed if len(observed) <= _LONGEST else f"{observed[:_LONGEST]}...",
        remedy=_joined(configuration.get("notes")),
    )


def _observed(found: Mapping[str, Any], exception: Mapping[str, Any]) -> str:
    """Say what was found: a value, some of the values that are wrong, or why nothing could be found."""
    if "observed_value" in found:
        return _shown(found["observed_value"])
    if "unexpected_count" in found:
        some = dict.fromkeys(_shown(value) for value in found["partial_unexpected_list"])
        wrong = f"{found['unexpected_count']} of {found['element_count']} values wrong"
        return f"{wrong}, such as {', '.join(islice(some, _SOME))}"
    # One exception, or one for each metric that could not be computed.
    raised = [exception] if "exception_message" in exception else exception.values()
    return "; ".join(dict.fromkeys(str(each["exception_message"]).rstrip(".") for each in raised))


def _shown(value: object) -> str:
    match value:
        case float():
            return f"{value:.6g}"
        case list():
            return ", ".join(map(_shown, value))
        case _:
            return str(value)


def _joined(notes: str | list[str] | None) -> str:
    return " ".join(notes) if isinstance(notes, list) else notes or ""
