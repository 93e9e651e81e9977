"""Turns a failed result of Great Expectations, in its JSON form, into a value and words for a person."""

from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any, Final

from mlgates.expectations.values import FailedExpectation

_LONGEST: Final = 200  # characters; an exception may quote a whole column
_SOME: Final = 5  # of the values that are wrong


def failed_expectation(result: Mapping[str, Any], columns: Collection[str]) -> FailedExpectation:
    """Describe a result that is no success, of a table with these columns."""
    configuration = result["expectation_config"]
    column = configuration["kwargs"].get("column")
    settings = {key: value for key, value in configuration["kwargs"].items() if key not in ("batch_id", "column")}
    # A missing column makes each expectation about it fail in a way of its own; they are told alike.
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
