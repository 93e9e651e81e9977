"""How a table is validated against an expectation suite: the one import of Great Expectations, quiet and offline."""

import copy
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mlgates.core.errors import AssetMissing, ConfigurationError
from mlgates.core.nearest import did_you_mean
from mlgates.expectations.results import ExpectationResult, failed_expectation

with warnings.catch_warnings():
    # It imports modules that Python deprecates; whoever turns warnings into errors could not use it otherwise.
    warnings.simplefilter("ignore")
    import great_expectations as gx
    from great_expectations.checkpoint.actions import UpdateDataDocsAction, ValidationAction
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )
    from great_expectations.exceptions.exceptions import ExpectationNotFoundError, GreatExpectationsError
    from great_expectations.expectations.expectation import Expectation
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.registry import list_registered_expectation_implementations


_SITE = "local"


class SuiteError(ConfigurationError):
    """A suite file does not say what Great Expectations understands."""


def load_suite(path: Path) -> gx.ExpectationSuite:
    """Load a suite, every expectation of it.

    Raises `AssetMissing`, or `SuiteError` with the first expectation that cannot be used: left to itself, Great
    Expectations logs such a one and goes on without it.
    """
    stored = _read_suite(path)
    expectations = stored.get("expectations", [])
    if not isinstance(stored.get("name"), str) or not isinstance(expectations, list) or not expectations:
        raise SuiteError(f"{path}: a suite has a 'name' and a list of 'expectations'")
    return gx.ExpectationSuite(
        name=stored["name"],
        expectations=[_expectation(each, f"{path}, expectations[{index}]") for index, each in enumerate(expectations)],
        meta=stored.get("meta"),
        notes=stored.get("notes"),
    )


def _read_suite(path: Path) -> dict[str, Any]:
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


def validate(frame: pd.DataFrame, suite: gx.ExpectationSuite, *, docs: Path | None = None) -> ExpectationResult:
    """Check every expectation of `suite`, and leave the suite as it was.

    With `docs`, a folder, Data Docs are written to a folder of the suite's name in it, over those of earlier times.
    """
    site = docs / suite.name if docs else None
    results = _run(frame, suite, site)
    return ExpectationResult(
        suite=suite.name,
        checked=len(results),
        failed=tuple(failed_expectation(result, frame.columns) for result in results if not result["success"]),
        docs=site / "index.html" if site else None,
    )


def _run(frame: pd.DataFrame, suite: gx.ExpectationSuite, site: Path | None) -> list[Mapping[str, Any]]:
    """Return the results as Great Expectations keeps them in JSON, in the order of the suite."""
    context = in_memory(site)
    stored = context.suites.add(copy.deepcopy(suite))
    asset = context.data_sources.add_pandas("pandas").add_dataframe_asset(suite.name)
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name=suite.name, data=asset.add_batch_definition_whole_dataframe("all"), suite=stored)
    )
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(name=suite.name, validation_definitions=[definition], actions=afterwards(site))
    )
    (validation,) = checkpoint.run(batch_parameters={"dataframe": frame}).run_results.values()
    place = {expectation.id: index for index, expectation in enumerate(stored.expectations)}
    results: list[Mapping[str, Any]] = validation.to_json_dict()["results"]  # type: ignore[no-untyped-call]
    return sorted(results, key=lambda result: place[result["expectation_config"]["id"]])


def in_memory(site: Path | None) -> EphemeralDataContext:
    """Return a new context: no usage statistics, no progress bars, no file but Data Docs in the folder `site`.

    Great Expectations keeps the newest context as the process's current one, so contexts are not for threads.
    """
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        data_docs_sites={_SITE: _local(site)} if site else {},
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def afterwards(site: Path | None) -> list[ValidationAction]:
    """Return what a checkpoint of such a context has to do after its validations."""
    return [UpdateDataDocsAction(name="write Data Docs", site_names=[_SITE])] if site else []


def _local(folder: Path) -> dict[str, object]:
    return {
        "class_name": "SiteBuilder",
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder.resolve())},
    }
