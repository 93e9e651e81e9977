"""What a pipeline did: its stages with their times, the gates that it passed through, and what serves at its end."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from mlgates.core.gates import GateRecord


class StageState(StrEnum):
    """How a stage ended, or that it has not."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """It was not run; its remark says why. Skipped is never passed."""
    WAITING = "waiting"
    """It waits for something outside, an approval for one; its remark says for what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRecord:
    """One stage of a pipeline."""

    name: str
    state: StageState
    started: str = ""
    """UTC, ISO 8601; empty for a stage that has not begun."""
    seconds: float = 0.0
    remark: str = ""
    """Its result, or why it has none, on one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person said of a model version."""

    model: str
    """Name and version, `classifier:3`."""
    approved: bool
    by: str
    when: str
    """UTC, ISO 8601."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A deployment, and what it serves."""

    endpoint: str
    deployment: str
    model: str
    """Name and version, `classifier:3`."""
    share: int
    """Of the endpoint's traffic, in percent; a batch endpoint sends all to its default deployment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRecord:
    """One run of one pipeline."""

    pipeline: str
    """`dev` or `prod`."""
    environment: str
    workspace: str
    stages: tuple[StageRecord, ...]
    """In the order of the pipeline; stages that ran side by side overlap in time."""
    started: str
    """UTC, ISO 8601."""
    seconds: float
    commit: str
    build: str | None = None
    """The sha256 of the build that it made or was given."""
    gates: tuple[GateRecord, ...] = ()
    decisions: tuple[Decision, ...] = ()
    serving: tuple[Serving, ...] = ()
    """What serves at the end."""

    @property
    def state(self) -> StageState:
        """The worst of the stages' states; skipped when there is none."""
        states = {stage.state for stage in self.stages}
        return next((state for state in _WORST_FIRST if state in states), StageState.SKIPPED)

    @property
    def passed(self) -> bool:
        """True when it came to its end: no stage failed or waits, no gate failed."""
        return self.state is StageState.PASSED and all(record.passed for record in self.gates)

    @property
    def stopped_at(self) -> StageRecord | None:
        """The first stage that failed or waits; None when there is none."""
        return next((stage for stage in self.stages if stage.state in {StageState.FAILED, StageState.WAITING}), None)

    @property
    def summary(self) -> str:
        """In one phrase."""
        stopped = self.stopped_at
        if stopped:
            return f"pipeline {self.pipeline} {stopped.state} at {stopped.name}" + (
                f": {stopped.remark}" if stopped.remark else ""
            )
        failed = next((record for record in self.gates if not record.passed), None)
        return f"pipeline {self.pipeline} {'passed' if not failed else f'failed: {failed.summary}'}"

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "passed": self.passed,
            "stages": [asdict(stage) for stage in self.stages],
            "gates": [record.to_dict() for record in self.gates],
            "decisions": [asdict(decision) for decision in self.decisions],
            "serving": [asdict(serving) for serving in self.serving],
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Read a record back. Raises `KeyError`, `TypeError` or `ValueError` for anything that is none."""
        return cls(
            **{name: document[name] for name in _PLAIN},
            stages=tuple(StageRecord(**{**stage, "state": StageState(stage["state"])}) for stage in document["stages"]),
            gates=tuple(GateRecord.from_dict(record) for record in document["gates"]),
            decisions=tuple(Decision(**decision) for decision in document["decisions"]),
            serving=tuple(Serving(**serving) for serving in document["serving"]),
        )


_PLAIN = ("pipeline", "environment", "workspace", "started", "seconds", "commit", "build")
_WORST_FIRST = (StageState.FAILED, StageState.WAITING, StageState.PASSED, StageState.SKIPPED)
