"""A gate's run as a record; and the run of a gate that is about a commit, which needs no workspace."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from mlgates.config.settings import Settings
from mlgates.core.gates import GateRecord
from mlgates.core.lineage import Lineage
from mlgates.core.progress import Progress
from mlgates.core.values import AssetVersion, ModelArtifact
from mlgates.evaluation.model import Model
from mlgates.gates.cache import Cache
from mlgates.gates.comparison import pictures_of
from mlgates.gates.declaration import Gate
from mlgates.gates.evidence import Evidence
from mlgates.gates.gate import run
from mlgates.gates.resolution import resolve
from mlgates.gates.suite_reports import read_coverage, read_suites


def run_commit_gate(gate: Gate, settings: Settings, *, commit: str, progress: Progress) -> GateRecord:
    """Run a gate that is about a commit, and no model yet."""
    return recorded(gate, settings, evidence_of(settings, commit), progress=progress)


def evidence_of(settings: Settings, commit: str) -> Evidence:
    """Return the evidence that lies in the project itself."""
    reports = settings.project.reports
    return Evidence(
        root=settings.project.root,
        fetch_suites=lambda: read_suites(reports),
        fetch_coverage=lambda: read_coverage(reports),
        commit=commit,
        fetch_resolution=lambda model: resolve(model.folder, settings.project.root),
        cache=Cache(settings.project.local_state / "gates"),
    )


def recorded(
    gate: Gate, settings: Settings, evidence: Evidence, versions: Sequence[AssetVersion] = (), *, progress: Progress
) -> GateRecord:
    """Run every check of `gate` and return the record; `versions` of the model, oldest first, show its history."""
    started, began = datetime.now(UTC), time.monotonic()
    results = run(gate, evidence, progress=progress)
    return GateRecord(
        gate=gate.name,
        environment=settings.environment,
        workspace=settings.aml_workspace_name,
        candidate=_artifact(evidence.the_candidate),
        champion=_artifact(evidence.champion),
        results=results,
        pictures=pictures_of(evidence, versions) if evidence.the_candidate else {},
        started=started.isoformat(timespec="seconds"),
        seconds=time.monotonic() - began,
        commit=evidence.commit,
        build=_build(evidence.the_candidate),
    )


def _build(model: Model | None) -> str | None:
    """Return the sha256 of the build that a model was trained from, by its lineage; None for a checkout."""
    known = Lineage.from_tags(model.tags).build_sha256 if model else ""
    return known if known not in {"", "none", "unknown"} else None


def _artifact(model: Model | None) -> ModelArtifact | None:
    return ModelArtifact.of(str(model), model.sha256, model.tags) if model else None


def broken(record: GateRecord) -> Sequence[str]:
    """Return a line for each check for which the gate fails."""
    unknown = [] if record.of_known_commit else ["  the commit is unknown, and a gate passes for a known one alone"]
    return unknown + [
        f"  {result.name} {result.verdict}: {result.reason}" + (f" -> {result.remedy}" if result.remedy else "")
        for result in record.results
        if not result.verdict.holds
    ]
