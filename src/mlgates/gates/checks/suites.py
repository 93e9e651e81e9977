"""Whether the layers of tests ran on this very commit, passed, and were as many as they should be."""

from collections.abc import Iterator

from pydantic import Field

from mlgates.config.declaring import Strict
from mlgates.core.gates import CheckResult, Verdict, bounded
from mlgates.core.layers import LAYERS
from mlgates.core.nearest import did_you_mean
from mlgates.core.values import UNKNOWN
from mlgates.evaluation.errors import CouldNotRun
from mlgates.gates.evidence import Evidence, SuiteRun


class SuitesConfig(Strict):
    """Which layers must have run."""

    layers: dict[str, int] = Field(min_length=1)
    """By layer, how many tests at least must have passed: `{unit: 2000}`."""
    min_coverage: float | None = Field(default=None, ge=0, le=100)
    """Of lines and branches by the unit and contract suites, in percent."""


def check(config: SuitesConfig, evidence: Evidence) -> Iterator[CheckResult]:
    """Yield a result a layer, and one for the coverage. Raises `CouldNotRun` for a layer without a report."""
    runs = {run.layer: run for run in evidence.fetch_suites()}
    for layer, least in config.layers.items():
        if layer not in LAYERS:
            raise CouldNotRun(f"there is no layer '{layer}'. {did_you_mean(layer, LAYERS)}", remedy="mend gates.yml")
        if layer not in runs:
            raise CouldNotRun(f"the {layer} suite has left no report", remedy=f"run 'nox -s {layer}' first")
        yield _result(runs[layer], least, evidence.commit)
    if config.min_coverage is not None:
        coverage = evidence.fetch_coverage()
        if coverage is None:
            raise CouldNotRun("no suite has left its coverage", remedy="run 'nox -s coverage' first")
        yield bounded("coverage", coverage, least=config.min_coverage, most=None, unit="%")


def _other_commit(run: SuiteRun, commit: str) -> str:
    if UNKNOWN in {run.commit, commit}:
        return f"it ran on no known commit{f' ({run.reason})' if run.reason else ''}"
    return f"it ran on commit {run.commit[:12]}, this is {commit[:12]}" if run.commit != commit else ""


def _result(run: SuiteRun, least: int, commit: str) -> CheckResult:
    complaints = [
        f"{run.failed} failed" if run.failed else "",
        f"{run.passed} passed, at least {least} are required" if run.passed < least else "",
        _other_commit(run, commit),
    ]
    wrong = "; ".join(filter(None, complaints))
    return CheckResult(
        name=run.layer,
        verdict=Verdict.passed_if(not wrong),
        reason=(wrong or f"{run.passed} tests passed, {run.skipped} skipped")
        + (", with changes that are not in the commit" if run.dirty else ""),
        figure=float(run.passed),
        limit=f"at least {least} passed, none failed, on this commit",
        least=float(least),
        unit="tests",
        remedy=f"run 'nox -s {run.layer}' on this commit and mend what fails",
    )
