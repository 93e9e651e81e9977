"""How a pipeline trains: twice from the same source, at the same time, and not again what was trained already."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlgates.config.settings import Settings
from mlgates.core.events import Steps
from mlgates.core.side_by_side import side_by_side
from mlgates.core.values import Job
from mlgates.delivery.train import TrainingRequest, begin, finish

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


@dataclass(frozen=True, slots=True)
class Trained:
    """A job, and the one that was to give the same."""

    job: Job
    twin: Job | None

    @property
    def summary(self) -> str:
        """One phrase for a person."""
        return f"{self.job.summary}" + (f", and again as {self.twin.name}" if self.twin else "")


def train_twice(client: "MLClient", settings: Settings, request: TrainingRequest, *, anew: bool) -> Steps[Trained]:
    """Train as `request` asks, and a second time beside it, to show that the result can be reproduced.

    A job of the same source, data, environment and inputs is taken as it is, and followed while it still runs, unless
    `anew`. The two jobs run side by side.
    """
    job = yield from begin(client, settings, request, anew=anew)
    twin = yield from begin(client, settings, replace(request, reproduces=job.name), anew=anew)
    ended: Mapping[str, Job] = yield from side_by_side(
        {"job": finish(client, settings, job, name="job"), "twin": finish(client, settings, twin, name="twin job")}
    )
    return Trained(ended["job"], ended["twin"])
