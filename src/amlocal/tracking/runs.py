"""A job as MLflow knows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from amlocal.core.wire import USER

RunStatus = Literal["SCHEDULED", "RUNNING", "FINISHED", "FAILED", "KILLED"]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a run is to be, whatever it was before. `run_id` is the job's name, as on Azure; `name` what people read."""

    run_id: str
    experiment: str
    name: str
    status: RunStatus
    started: datetime
    ended: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    user: str = USER

    def wire(self) -> dict[str, Any]:
        """Return the record as `recording.record` reads it; moments are epoch milliseconds, as MLflow keeps them."""
        return {
            "experiment": self.experiment,
            "name": self.name,
            "status": self.status,
            "start_time": _milliseconds(self.started),
            "end_time": None if self.ended is None else _milliseconds(self.ended),
            "tags": dict(self.tags),
            "user": self.user,
        }


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
