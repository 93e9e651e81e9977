"""What the suites left behind: a small JSON file a layer, and their coverage report."""

import json
from collections.abc import Sequence
from pathlib import Path

from mlgates.evaluation.errors import CouldNotRun
from mlgates.gates.evidence import SuiteRun

SUITES = "suites"
"""The folder, below reports/, of the files `<layer>.json`; the pytest plugin writes them."""
COVERAGE = "coverage.json"


def read_suites(reports: Path) -> Sequence[SuiteRun]:
    """Return what each layer that left a report did. Raises `CouldNotRun` for a file that is none."""
    return [_run(file) for file in sorted((reports / SUITES).glob("*.json"))]


def read_coverage(reports: Path) -> float | None:
    """Return the percentage of branches and lines that coverage.py reports, None without a report."""
    file = reports / COVERAGE
    if not file.is_file():
        return None
    try:
        return float(json.loads(file.read_text(encoding="utf-8"))["totals"]["percent_covered"])
    except (ValueError, KeyError, TypeError) as error:
        raise CouldNotRun(f"{file.name} is not a coverage report", remedy="run 'nox -s coverage' again") from error


def _run(file: Path) -> SuiteRun:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        counts = {name: int(document[name]) for name in ("passed", "failed", "skipped")}
        reason = str(document.get("reason", ""))
        commit, dirty = str(document["commit"]), document["dirty"] is True
        return SuiteRun(layer=file.stem, commit=commit, dirty=dirty, reason=reason, **counts)
    except (ValueError, KeyError, TypeError) as error:
        raise CouldNotRun(f"{file.name} is not a suite's report", remedy=f"run 'nox -s {file.stem}' again") from error
