"""A pipeline from its plan to its record, which is written whether or not it came to its end."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from mlgates.core.errors import AssetMissing, MlgatesError
from mlgates.core.ledger import Action
from mlgates.core.pipelines import Decision, PipelineRecord, Serving
from mlgates.core.progress import Progress
from mlgates.delivery.ledger import Ledger
from mlgates.delivery.serving import look_batch, look_online, served_model
from mlgates.pipelines.stages import Planned, Ran, run_stages
from mlgates.pipelines.work import Work

_DECIDED = frozenset({Action.APPROVED, Action.REJECTED})
_ALL = 100


def run_pipeline(
    name: str, work: Work, plan: Callable[[ExitStack], Sequence[Planned]], *, progress: Progress
) -> tuple[PipelineRecord, MlgatesError | None]:
    """Run the stages of `plan`; return the record, and the error that stopped them."""
    started, began = datetime.now(UTC), time.monotonic()
    with ExitStack() as stack:
        ran = run_stages(plan(stack), until=work.request.until, progress=progress)
    return _record(name, work, ran, started, time.monotonic() - began), ran.error


def _record(name: str, work: Work, ran: Ran, started: datetime, seconds: float) -> PipelineRecord:
    return PipelineRecord(
        pipeline=name,
        environment=work.settings.environment,
        workspace=work.settings.aml_workspace_name,
        stages=ran.stages,
        started=started.isoformat(timespec="seconds"),
        seconds=seconds,
        commit=work.source.commit,
        build=work.build.sha256 if work.build else None,
        gates=tuple(work.gates),
        decisions=_decisions(work),
        serving=_serving(work),
    )


def _decisions(work: Work) -> tuple[Decision, ...]:
    """Return what was decided about the model of this run."""
    subjects = {record.candidate.sha256 for record in work.gates if record.candidate}
    if not subjects:
        return ()
    reading = Ledger.of(work.client, work.settings).read()
    entries = () if reading.fault else reading.entries  # nothing is told as decided by a ledger that is broken
    return tuple(
        Decision(
            model=entry.model,
            approved=entry.action is Action.APPROVED,
            by=entry.by,
            when=entry.at,
            reason=entry.reason,
        )
        for entry in entries
        if entry.action in _DECIDED and entry.sha256 in subjects
    )


def _serving(work: Work) -> tuple[Serving, ...]:
    found: list[Serving] = []
    try:
        online = look_online(work.client, work.settings.online_endpoint)
        for name, share in online.shares.items():
            model = str(served_model(online.deployments[name]))
            found.append(Serving(endpoint=online.name, deployment=name, model=model, share=share))
        batch = look_batch(work.client, work.settings.batch_endpoint)
        if batch.default and batch.default in batch.deployments:
            model = str(served_model(batch.deployments[batch.default]))
            found.append(Serving(endpoint=batch.name, deployment=batch.default, model=model, share=_ALL))
    except AssetMissing:
        pass  # nothing is deployed yet, which the record shows by saying nothing
    return tuple(found)


def newest_build(dist: Path) -> Path:
    """Return the archive in `dist` that was made last. Raises `AssetMissing` when there is none."""
    archives = sorted(dist.glob("build-*.zip"), key=lambda file: file.stat().st_mtime_ns)
    if not archives:
        raise AssetMissing(f"{dist} holds no build: run 'mlgates pipeline dev' first, or name an archive with --build")
    return archives[-1]
