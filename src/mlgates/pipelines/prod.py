"""The prod pipeline: trains from a build that dev passed; what its gate and a person approve takes over the traffic.

It can be run again at any time: with new data at the data set's path it trains anew from the same code; after an
interruption, or once somebody has approved, it goes on from where the workspace says that it is.
"""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mlgates.build.archive import Build
from mlgates.build.project import unpacked
from mlgates.config.settings import Settings
from mlgates.core.errors import NotAllowed, Waits
from mlgates.core.ledger import Action, Entry
from mlgates.core.progress import Progress
from mlgates.core.releases import Released
from mlgates.core.values import AssetVersion
from mlgates.delivery.models import candidate_of
from mlgates.delivery.training import register
from mlgates.delivery.workspace_ledger import Ledger
from mlgates.pipelines.dev import check_passed
from mlgates.pipelines.pipeline_run import Planned, Work
from mlgates.pipelines.shared_stages import Trained, run_gate, run_suite, train_twice
from mlgates.release.approval import decide, standing
from mlgates.release.context import Work as ReleaseWork
from mlgates.release.locking import Owner
from mlgates.release.release_file import read_release
from mlgates.release.releasing import release

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

NAME = "prod"


def plan(work: Work, archive: Path, stack: ExitStack) -> Sequence[Planned]:
    """Return the stages; what `archive` is unpacked to ends with `stack`."""
    return (
        Planned("check build", partial(_check, work, archive, stack)),
        Planned("train", partial(_train, work)),
        Planned("prod gate", partial(run_gate, work, NAME)),
        Planned("approval", partial(_approval, work)),
        Planned("register", partial(_register, work)),
        Planned("release", partial(_release, work)),
        Planned("smoke suite", partial(run_suite, "smoke", work.settings)),
    )


def _check(work: Work, archive: Path, stack: ExitStack, *, progress: Progress) -> Build:
    held = stack.enter_context(unpacked(archive))
    progress.run("dev gate", lambda: check_passed(held.build))
    work.take(held)
    return held.build


def _train(work: Work, *, progress: Progress) -> Trained:
    trained = train_twice(work, progress=progress)
    # Not registered yet: a version of the registry is something that a person has approved.
    work.model = candidate_of(work.client, work.settings, trained.job.name)
    return trained


def _approval(work: Work, *, progress: Progress) -> Entry:
    """Return the approval of just this content, given before or passed on now.

    Raises `NotAllowed` after a rejection, `Waits` while nobody has decided.
    """
    model, record = work.model, work.gates[-1]
    entries = Ledger.of(work.client, work.settings).entries(*([model] if model else []))
    entry = standing(entries, str(model), record.candidate.sha256 if record.candidate else "")
    if entry is not None and entry.action is Action.REJECTED:
        raise NotAllowed(f"{model} was rejected by {entry.by}: {entry.reason}; what serves goes on serving")
    if entry is not None and entry.action is Action.APPROVED:
        return progress.run("decision", lambda: entry)
    if not work.request.approver:
        raise Waits(
            f"{model} waits for a decision: 'mlgates approve {model} --env {work.settings.environment} --by NAME "
            f"--reason TEXT', or reject; then run this pipeline again"
        )
    reason = work.request.reason or f"approved in the run of {Owner.here(os.environ).name}"
    by = work.request.approver
    return decide(work.client, work.settings, str(model), Action.APPROVED, by=by, reason=reason, progress=progress)


def _register(work: Work, *, progress: Progress) -> AssetVersion:
    work.model = register(work.client, work.settings, work.job.name if work.job else None, progress=progress)
    return work.model


def _release(work: Work, *, progress: Progress) -> Released:
    at_work = releasing(work.client, work.settings, by=work.request.approver)
    version = work.model.version if work.model else None
    return release(at_work, version, canary=work.request.canary, progress=progress)


def releasing(client: "MLClient", settings: Settings, *, by: str) -> ReleaseWork:
    """Return what a release of the project's model has at hand."""
    ledger = Ledger.of(client, settings)
    return ReleaseWork(client, settings, read_release(settings.project), ledger, Owner.here(os.environ), by)
