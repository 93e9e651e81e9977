"""How a pipeline is run: stage after stage to its record, which is written whether or not it came to its end."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mlgates.build.archive import Build
from mlgates.build.packing import Unpacked, data_beside
from mlgates.config.settings import Settings
from mlgates.core.errors import AssetMissing, ConfigurationError, MlgatesError, PendingApproval
from mlgates.core.gates import GateRecord
from mlgates.core.ledger import Action
from mlgates.core.nearest import did_you_mean
from mlgates.core.pipelines import Decision, PipelineRecord, Serving, StageRecord, StageState
from mlgates.core.progress import Progress, Result, StageEnded, StageStarted
from mlgates.core.values import AssetVersion, Job, SourceState
from mlgates.delivery.operations import get_batch_endpoint, get_online_endpoint, served_model
from mlgates.delivery.training import TrainingRequest
from mlgates.delivery.workspace_ledger import Ledger

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

_DECIDED = frozenset({Action.APPROVED, Action.REJECTED})
_ALL = 100


@dataclass(frozen=True, slots=True)
class PipelineRequest:
    """What is asked of a pipeline beyond what the project declares."""

    inputs: Mapping[str, str | int | float] = field(default_factory=dict)
    """Inputs of pipeline.yml to set otherwise."""
    force_retrain: bool = False
    """Train although a job of the same fingerprint is there."""
    until: str | None = None
    """The stage to end with."""
    approver: str = ""
    """Who has approved, where the CI system asked for it; empty for nobody yet."""
    reason: str = ""
    canary: bool = True
    """False to give all traffic in one step."""


@dataclass(slots=True)
class PipelineRun:
    """A run of a pipeline; what the stages find out is kept here."""

    client: "MLClient"
    settings: Settings
    request: PipelineRequest
    source: SourceState
    """Of the checkout that the pipeline runs from."""
    build: Build | None = None
    trained_from: Settings | None = None
    """The settings of the project in the build."""
    job: Job | None = None
    model: AssetVersion | None = None
    gates: list[GateRecord] = field(default_factory=list)

    def take(self, from_build: Unpacked) -> None:
        """Train from an unpacked build from here on."""
        self.build = from_build.build
        self.trained_from = replace(self.settings, project=from_build.project)

    def training(self) -> tuple[Settings, TrainingRequest]:
        """Return what is trained from, and how: the build, and no other source."""
        build, settings = self.build, self.trained_from
        if build is None or settings is None:
            raise RuntimeError("a stage that makes or checks the build comes before training")
        request = TrainingRequest(
            source=build.manifest.source,
            inputs=self.request.inputs,
            data_file=data_beside(settings.project, self.settings.project),
            build=build.sha256,
        )
        return settings, request


class StageFunction(Protocol):
    """What a stage does; its result has a `summary`."""

    def __call__(self, *, progress: Progress) -> Result:
        """Do it."""
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a pipeline: its name, and the function that does it."""

    name: str
    run: StageFunction


@dataclass(frozen=True, slots=True)
class PipelineResult:
    """What came of the stages, and the error that stopped them."""

    stages: tuple[StageRecord, ...]
    error: MlgatesError | None


@dataclass(frozen=True, slots=True)
class Summary:
    """A stage's result that is only a phrase."""

    summary: str


def run_stages(plan: Sequence[Stage], *, until: str | None = None, progress: Progress) -> PipelineResult:
    """Run the stages of `plan` in order, the one named `until` as the last.

    A stage that raises an `MlgatesError` ends the run: the rest is skipped, and the error returned with the stages,
    so that the caller can keep them before it raises. Raises `ConfigurationError` for an `until` that is no stage.
    """
    names = [stage.name for stage in plan]
    if until is not None and until not in names:
        raise ConfigurationError(f"--until {until}: there is no such stage. {did_you_mean(until, names)}")
    stages: list[StageRecord] = []
    stopped: str | None = None
    error: MlgatesError | None = None
    for number, stage in enumerate(plan, start=1):
        if stopped is None:
            progress.emit(StageStarted(stage.name, number, len(plan)))
            record, error = _run_stage(stage, progress)
            if error is not None:
                stopped = f"not reached: {stage.name} {record.state}"
            elif stage.name == until:
                stopped = f"not asked for: the run ends with {until}"
        else:
            record = StageRecord(name=stage.name, state=StageState.SKIPPED, remark=stopped)
        stages.append(record)
        progress.emit(StageEnded(record))
    return PipelineResult(tuple(stages), error)


def run_pipeline(
    name: str, run: PipelineRun, plan: Callable[[ExitStack], Sequence[Stage]], *, progress: Progress
) -> tuple[PipelineRecord, MlgatesError | None]:
    """Run the stages of `plan`; return the record, and the error that stopped them."""
    started, began = datetime.now(UTC), time.monotonic()
    with ExitStack() as stack:
        result = run_stages(plan(stack), until=run.request.until, progress=progress)
    return _record(name, run, result, started, time.monotonic() - began), result.error


def newest_build(dist: Path) -> Path:
    """Return the archive in `dist` that was made last. Raises `AssetMissing` when there is none."""
    archives = sorted(dist.glob("build-*.zip"), key=lambda file: file.stat().st_mtime_ns)
    if not archives:
        raise AssetMissing(f"{dist} holds no build: run 'mlgates pipeline dev' first, or name an archive with --build")
    return archives[-1]


def _run_stage(stage: Stage, progress: Progress) -> tuple[StageRecord, MlgatesError | None]:
    began, started = progress.clock(), datetime.now(UTC).isoformat(timespec="milliseconds")
    error: MlgatesError | None = None
    try:
        result = stage.run(progress=progress)
        state, remark = StageState.PASSED, result.summary
    except PendingApproval as waits:
        state, remark, error = StageState.WAITING, _first_line(waits), waits
    except MlgatesError as failure:
        state, remark, error = StageState.FAILED, _first_line(failure), failure
    seconds = progress.clock() - began
    return StageRecord(name=stage.name, state=state, started=started, seconds=seconds, remark=remark), error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _record(name: str, run: PipelineRun, result: PipelineResult, started: datetime, seconds: float) -> PipelineRecord:
    return PipelineRecord(
        pipeline=name,
        environment=run.settings.environment,
        workspace=run.settings.aml_workspace_name,
        stages=result.stages,
        started=started.isoformat(timespec="seconds"),
        seconds=seconds,
        commit=run.source.commit,
        build=run.build.sha256 if run.build else None,
        gates=tuple(run.gates),
        decisions=_decisions(run),
        serving=_serving(run),
    )


def _decisions(run: PipelineRun) -> tuple[Decision, ...]:
    """Return what was decided about the model of this run."""
    subjects = {record.candidate.sha256 for record in run.gates if record.candidate}
    if not subjects:
        return ()
    reading = Ledger.of(run.client, run.settings).read()
    entries = () if reading.fault else reading.entries  # a ledger that is broken decides nothing
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


def _serving(run: PipelineRun) -> tuple[Serving, ...]:
    found: list[Serving] = []
    try:
        online = get_online_endpoint(run.client, run.settings.online_endpoint)
        for name, share in online.shares.items():
            model = str(served_model(online.deployments[name]))
            found.append(Serving(endpoint=online.name, deployment=name, model=model, share=share))
        batch = get_batch_endpoint(run.client, run.settings.batch_endpoint)
        if batch.default and batch.default in batch.deployments:
            model = str(served_model(batch.deployments[batch.default]))
            found.append(Serving(endpoint=batch.name, deployment=batch.default, model=model, share=_ALL))
    except AssetMissing:
        pass  # nothing is deployed yet, which the record shows by saying nothing
    return tuple(found)
