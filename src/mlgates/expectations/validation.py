"""Holds a table against a suite, through a Great Expectations checkpoint."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mlgates.expectations.findings import failed_expectation
from mlgates.expectations.great import afterwards, gx, in_memory
from mlgates.expectations.values import ExpectationResult


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
