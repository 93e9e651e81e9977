"""Whether the training set of the candidate keeps what is expected of it: a Great Expectations suite."""

import hashlib
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pandas as pd
from pydantic import Field

from mlgates.config.declaring import Strict
from mlgates.core.errors import MlgatesError
from mlgates.core.gates import CheckResult, Verdict
from mlgates.evaluation.errors import CouldNotRun
from mlgates.gates.evidence import Evidence


class DataConfig(Strict):
    """Which suite the data is compared with."""

    suite: str = Field(min_length=1)
    """The file, relative to the project's folder."""


def check(config: DataConfig, evidence: Evidence) -> Iterator[CheckResult]:
    """Yield one result. Evidence: `suite`, its name; `checked`, how many expectations; `failed`, a line each."""
    file = evidence.root / config.suite
    if not file.is_file():
        raise CouldNotRun(f"there is no suite {config.suite}", remedy="correct data.suite in gates.yml")
    data = evidence.training_set(evidence.candidate)
    suite = hashlib.sha256(file.read_bytes()).hexdigest()
    about = ["data", content_of(data), suite, version("great-expectations")]
    found = evidence.cache.once(about, lambda: _validated(data, evidence, config))
    checked, failed = int(found["checked"]), list(found["failed"])
    more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
    yield CheckResult(
        name="",
        verdict=Verdict.passed_if(not failed),
        reason=(
            f"{found['suite']}: {checked - len(failed)} of {checked} expectations met"
            + (f"; not met: {failed[0]}{more}" if failed else "")
        ),
        figure=float(len(failed)),
        limit="at most 0 not met",
        most=0.0,
        remedy="mend the data, or the suite when the data is right; then train again",
        evidence=found,
    )


def content_of(data: pd.DataFrame) -> str:
    """Return the sha256 of a table's columns and values."""
    try:
        rows = pd.util.hash_pandas_object(data, index=False).to_numpy().tobytes()
    except TypeError:  # lists and the like among the values
        rows = pd.util.hash_pandas_object(data.astype(str), index=False).to_numpy().tobytes()
    names = "\0".join(f"{name} {dtype}" for name, dtype in data.dtypes.items())
    return hashlib.sha256(names.encode() + rows).hexdigest()


def _validated(data: pd.DataFrame, evidence: Evidence, config: DataConfig) -> dict[str, Any]:
    # Imported here: Great Expectations takes seconds, and the answer may be known.
    from mlgates.expectations.validation import load_suite, validate  # noqa: PLC0415

    try:
        result = validate(data, load_suite(evidence.root / config.suite))
    except MlgatesError as error:
        raise CouldNotRun(str(error), remedy="mend the suite") from error
    return {"suite": result.suite, "checked": result.checked, "failed": [str(each) for each in result.failed]}
