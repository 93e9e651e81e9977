"""Learns the ranges of columns from expectation suites, from the files as they are, without Great Expectations."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from mlgates.contract.signature import UNLIMITED, Limits
from mlgates.core.errors import AssetMissing, ConfigurationError

Ranges: TypeAlias = Mapping[str, Limits]


def read_ranges(suites: Iterable[Path]) -> Ranges:
    """Return what the suites say of each column; a later suite narrows an earlier one.

    Understood are `expect_column_values_to_be_between`, `..._to_be_in_set` and `..._to_be_of_type` (whole numbers);
    an expectation that holds for only a part of the rows (`mostly`) limits nothing. Raises `AssetMissing`, or
    `ConfigurationError` for a file that is no suite.
    """
    ranges: dict[str, Limits] = {}
    for file in suites:
        for expectation in _expectations(file):
            arguments = expectation["kwargs"]
            column = arguments.get("column")
            if column and arguments.get("mostly") in {None, 1}:
                ranges[column] = _narrowed(ranges.get(column, UNLIMITED), expectation["type"], arguments)
    return ranges


def _expectations(file: Path) -> list[dict[str, Any]]:
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise AssetMissing(f"{file}: no such suite") from error
    except ValueError as error:
        raise ConfigurationError(f"{file}: not JSON ({error})") from error
    match stored:
        case {"expectations": list(expectations)} if all("type" in e and "kwargs" in e for e in expectations):
            return expectations
    raise ConfigurationError(
        f"{file}: a suite is an object with a list of 'expectations', each with 'type' and 'kwargs'"
    )


def _narrowed(limits: Limits, expectation: str, arguments: Mapping[str, Any]) -> Limits:
    match expectation:
        case "expect_column_values_to_be_between":
            return replace(
                limits,
                minimum=_tighter(max, limits.minimum, arguments.get("min_value")),
                maximum=_tighter(min, limits.maximum, arguments.get("max_value")),
            )
        case "expect_column_values_to_be_in_set":
            return replace(limits, values=tuple(arguments["value_set"]))
        case "expect_column_values_to_be_of_type" if str(arguments.get("type_", "")).startswith("int"):
            return replace(limits, whole=True)
    return limits


def _tighter(choose: Any, old: float | None, new: float | None) -> float | None:
    known = [value for value in (old, new) if value is not None]
    return choose(known) if known else None
