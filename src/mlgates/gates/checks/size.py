"""Whether the model is small enough to be deployed: every deployment downloads it, every worker holds it."""

from collections.abc import Iterator

from pydantic import Field

from mlgates.config.declaring import Strict
from mlgates.core.gates import CheckResult, Verdict
from mlgates.gates.evidence import Evidence

_MB = 1e6


class SizeConfig(Strict):
    """How large the model's files may be."""

    max_mb: float = Field(default=100.0, gt=0)
    """Of all files of the model, in megabytes (10^6 bytes)."""


def check(config: SizeConfig, evidence: Evidence) -> Iterator[CheckResult]:
    """Yield one result. Evidence: `files`, the megabytes of each by its path in the model's folder."""
    folder = evidence.candidate.folder
    files = {
        file.relative_to(folder).as_posix(): file.stat().st_size / _MB for file in folder.rglob("*") if file.is_file()
    }
    total = sum(files.values())
    largest = max(files, key=files.__getitem__, default="nothing")
    yield CheckResult(
        name="",
        verdict=Verdict.passed_if(total <= config.max_mb),
        reason=f"the model is {total:.1f} MB, most of it in {largest}",
        figure=total,
        limit=f"at most {config.max_mb:g}",
        most=config.max_mb,
        unit="MB",
        remedy=f"see what {largest} holds: fewer or shallower trees, no training data within the model",
        evidence={"files": files},
    )
