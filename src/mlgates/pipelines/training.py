"""How a pipeline trains: from the build alone, and not again what was trained already."""

from dataclasses import dataclass, replace
from functools import partial

from mlgates.core.progress import Progress
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


def train_once(work: Work, *, progress: Progress) -> Trained:
    """Train from the build; a job of the same fingerprint is taken as it is, and followed while it still runs."""
    preload()
    settings, request = work.training()
    job = begin(work.client, settings, request, force=work.request.anew, progress=progress)
    work.job = finish(work.client, settings, job, progress=progress)
    return Trained(work.job)


def train_twice(work: Work, *, progress: Progress) -> Trained:
    """Train as `train_once`, and a second time at the same time, to show that the result can be reproduced."""
    preload()
    settings, request = work.training()
    job = begin(work.client, settings, request, force=work.request.anew, progress=progress)
    request = replace(request, reproduces=job.name)
    twin = begin(work.client, settings, request, force=work.request.anew, progress=progress)

    def follow(name: str, followed: Job, progress: Progress) -> Job:
        return finish(work.client, settings, followed, name=name, progress=progress)

    runs = {"job": partial(follow, "job", job), "twin job": partial(follow, "twin job", twin)}
    work.job, twin = side_by_side(runs, progress=progress).values()
    return Trained(work.job, twin)
