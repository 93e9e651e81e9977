"""The dev pipeline: what was merged is built, trained, deployed and tried; a build that passes may go to prod."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from mlgates.build.archive import Build
from mlgates.build.project import make, unpacked
from mlgates.core.deployments import Kind
from mlgates.core.events import Steps
from mlgates.core.gates import GateRecord
from mlgates.core.steps import step
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
        Planned("build", lambda: _build(work, dist, stack)),
        Planned("train", lambda: train_once(work)),
        Planned("register", lambda: _register(work)),
        Planned("deploy and test", lambda: _deploy(work)),
        Planned("integration suite", lambda: run_suite("integration", work.settings)),
        Planned("dev gate", lambda: _gate(work)),
    )


def _build(work: Work, dist: Path, stack: ExitStack) -> Steps[Build]:
    build = yield from step("build", lambda: make(work.settings.project, work.source, dist))
    held = stack.enter_context(unpacked(build.file))
    work.take(held)
    return build


def _register(work: Work) -> Steps[AssetVersion]:
    work.model = yield from register(work.client, work.settings, work.job.name if work.job else None)
    return work.model


def _deploy(work: Work) -> Steps[Said]:
    version = work.model.version if work.model else None
    delivered = yield from deploy(work.client, work.settings, tuple(Kind), version=version, trial=True)
    return Said("; ".join(each.trial.summary for each in delivered.values() if each.trial))


def _gate(work: Work) -> Steps[GateRecord]:
    record = yield from run_gate(work, NAME)
    if work.build:
        note_passed(work.build, record)
    return record
