"""The dev pipeline: what was merged is built, trained, deployed and tried; a build that passes may go to prod."""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from mlgates.build.archive import Build
from mlgates.build.project import make, unpacked
from mlgates.core.deployments import EndpointKind
from mlgates.core.gates import GateRecord
from mlgates.core.progress import Progress
from mlgates.core.values import AssetVersion
from mlgates.delivery.deploy import deploy
from mlgates.delivery.train import register
from mlgates.pipelines.gating import run_gate
from mlgates.pipelines.passed import note_passed
from mlgates.pipelines.stages import Planned, Said
from mlgates.pipelines.suites import run_suite
from mlgates.pipelines.training import train_once
from mlgates.pipelines.work import Work

NAME = "dev"


def plan(work: Work, dist: Path, stack: ExitStack) -> Sequence[Planned]:
    """Return the stages; the build goes to `dist`, and what it is unpacked to ends with `stack`."""
    return (
        Planned("build", partial(_build, work, dist, stack)),
        Planned("train", partial(train_once, work)),
        Planned("register", partial(_register, work)),
        Planned("deploy and test", partial(_deploy, work)),
        Planned("integration suite", partial(run_suite, "integration", work.settings)),
        Planned("dev gate", partial(_gate, work)),
    )


def _build(work: Work, dist: Path, stack: ExitStack, *, progress: Progress) -> Build:
    build = progress.run("build", lambda: make(work.settings.project, work.source, dist))
    held = stack.enter_context(unpacked(build.file))
    work.take(held)
    return build


def _register(work: Work, *, progress: Progress) -> AssetVersion:
    work.model = register(work.client, work.settings, work.job.name if work.job else None, progress=progress)
    return work.model


def _deploy(work: Work, *, progress: Progress) -> Said:
    version = work.model.version if work.model else None
    delivered = deploy(
        work.client, work.settings, tuple(EndpointKind), version=version, smoke_test=True, progress=progress
    )
    return Said("; ".join(each.smoke_test.summary for each in delivered.values() if each.smoke_test))


def _gate(work: Work, *, progress: Progress) -> GateRecord:
    record = run_gate(work, NAME, progress=progress)
    if work.build:
        note_passed(work.build, record)
    return record
