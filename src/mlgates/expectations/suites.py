"""Reads expectation suites from the JSON files in which Great Expectations itself keeps them."""

import json
from pathlib import Path
from typing import Any

from mlgates.core.errors import AssetMissing
from mlgates.core.nearest import did_you_mean
from mlgates.expectations.errors import SuiteError
from mlgates.expectations.great import (
    Expectation,
    ExpectationConfiguration,
    ExpectationNotFoundError,
    GreatExpectationsError,
    gx,
    list_registered_expectation_implementations,
)


def load_suite(path: Path) -> gx.ExpectationSuite:
    """Load a suite, every expectation of it.

    Raises `AssetMissing`, or `SuiteError` with the first expectation that cannot be used: left to itself, Great
    Expectations logs such a one and goes on without it.
    """
    stored = _read(path)
    expectations = stored.get("expectations", [])
    if not isinstance(stored.get("name"), str) or not isinstance(expectations, list) or not expectations:
        raise SuiteError(f"{path}: a suite has a 'name' and a list of 'expectations'")
    return gx.ExpectationSuite(
        name=stored["name"],
        expectations=[_expectation(each, f"{path}, expectations[{index}]") for index, each in enumerate(expectations)],
        meta=stored.get("meta"),
        notes=stored.get("notes"),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise AssetMissing(f"{path}: no such suite") from error
    except OSError as error:
        raise SuiteError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise SuiteError(f"{path}: not JSON ({error})") from error
    if not isinstance(stored, dict):
        raise SuiteError(f"{path}: a suite is a JSON object, this is a {type(stored).__name__}")
    return stored


def _expectation(stored: object, where: str) -> Expectation:
    if not isinstance(stored, dict) or not isinstance(stored.get("type"), str):
        raise SuiteError(f"{where}: an expectation is a JSON object with a 'type'")
    try:
        # Identifiers belong to the store that gave them; here each validation is a store of its own.
        return ExpectationConfiguration(**{**stored, "id": None}).to_domain_obj()
    except ExpectationNotFoundError as error:
        known = list_registered_expectation_implementations()
        raise SuiteError(f"{where}: unknown type {stored['type']!r}. {did_you_mean(stored['type'], known)}") from error
    except (GreatExpectationsError, TypeError, ValueError) as error:
        raise SuiteError(f"{where}, {stored['type']}: {' '.join(str(error).split())}") from error
