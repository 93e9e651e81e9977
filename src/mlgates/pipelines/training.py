"""How a pipeline trains: from the build alone, and not again what was trained already."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mlgates.core.events import Steps
from mlgates.core.side_by_side import side_by_side
from mlgates.core.values import Job
from mlgates.delivery.metrics import preload
from mlgates.delivery.train import begin, finish
from mlgates.pipelines.work import Work


@dataclass(frozen=True, slots=True)
class Trained:
    """A job, and the one that is to give the same."""

    job: Job
    twin: Job | None = None

    @property
    def summary(self) -> str:
        """One phrase for a person."""
        return f"{self.job.summary}" + (f", and again as {self.twin.name}" if self.twin else "")


def train_once(work: Work) -> Steps[Trained]:
    """Train from the build; a job of the same recipe is taken as it is, and followed while it still runs."""
    preload()
    settings, request = work.training()
    job = yield from begin(work.client, settings, request, anew=work.request.anew)
    work.job = yield from finish(work.client, settings, job)
    return Trained(work.job)


def train_twice(work: Work) -> Steps[Trained]:
    """Train as `train_once`, and a second time at the same time, to show that the result can be reproduced."""
    preload()
    settings, request = work.training()
    job = yield from begin(work.client, settings, request, anew=work.request.anew)
    twin = yield from begin(work.client, settings, replace(request, reproduces=job.name), anew=work.request.anew)
    ended: Mapping[str, Job] = yield from side_by_side(
        {
            "job": finish(work.client, settings, job),
            "twin": finish(work.client, settings, twin, name="twin job"),
        }
    )
    work.job = ended["job"]
    return Trained(ended["job"], ended["twin"])
