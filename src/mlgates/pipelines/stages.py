"""How a pipeline is run: stage after stage; what did not run says why, and what happened is kept in any case."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from mlgates.core.errors import ConfigurationError, MlgatesError, Waits
from mlgates.core.nearest import did_you_mean
from mlgates.core.pipelines import Stage, StageState
from mlgates.core.progress import Progress, Result, StageEnded, StageStarted


class Run(Protocol):
    """The work of a stage; what it returns says itself in one phrase."""

    def __call__(self, *, progress: Progress) -> Result:
        """Do it."""
        ...


@dataclass(frozen=True, slots=True)
class Planned:
    """A stage that is to be run."""

    name: str
    run: Run


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of the stages, and the error that stopped them."""

    stages: tuple[Stage, ...]
    error: MlgatesError | None


def run_stages(plan: Sequence[Planned], *, until: str | None = None, progress: Progress) -> Ran:
    """Run the stages of `plan` in order, the one named `until` as the last.

    A stage that raises an `MlgatesError` ends the run: the rest is skipped, and the error returned with the stages,
    so that the caller can keep them before it raises. Raises `ConfigurationError` for an `until` that is no stage.
    """
    names = [planned.name for planned in plan]
    if until is not None and until not in names:
        raise ConfigurationError(f"--until {until}: there is no such stage. {did_you_mean(until, names)}")
    stages: list[Stage] = []
    stopped: str | None = None
    error: MlgatesError | None = None
    for number, planned in enumerate(plan, start=1):
        if stopped is None:
            progress.tell(StageStarted(planned.name, number, len(plan)))
            stage, error = _ran(planned, progress)
            if error is not None:
                stopped = f"not reached: {planned.name} {stage.state}"
            elif planned.name == until:
                stopped = f"not asked for: the run ends with {until}"
        else:
            stage = Stage(name=planned.name, state=StageState.SKIPPED, remark=stopped)
        stages.append(stage)
        progress.tell(StageEnded(stage))
    return Ran(tuple(stages), error)


def _ran(planned: Planned, progress: Progress) -> tuple[Stage, MlgatesError | None]:
    began, started = progress.clock(), datetime.now(UTC).isoformat(timespec="milliseconds")
    error: MlgatesError | None = None
    try:
        result = planned.run(progress=progress)
        state, remark = StageState.PASSED, result.summary
    except Waits as waits:
        state, remark, error = StageState.WAITING, _first_line(waits), waits
    except MlgatesError as failure:
        state, remark, error = StageState.FAILED, _first_line(failure), failure
    stage = Stage(name=planned.name, state=state, started=started, seconds=progress.clock() - began, remark=remark)
    return stage, error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


@dataclass(frozen=True, slots=True)
class Said:
    """A stage's result that is only a phrase."""

    summary: str
