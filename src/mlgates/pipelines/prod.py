"""The prod pipeline: trains from a build that dev passed; what its gate and a person approve takes over the traffic.

It can be run again at any time: with new data at the data set's path it trains again from the same code; after an
interruption, or once somebody has approved, it continues from the state in the workspace.
"""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from mlgates.build.archive import Build
from mlgates.build.packing import unpacked
from mlgates.core.errors import NotAllowed, PendingApproval
from mlgates.core.ledger import Action, Draft, Entry
from mlgates.core.progress import Progress
from mlgates.core.values import AssetVersion, Released
from mlgates.delivery.models import candidate_of
from mlgates.delivery.training import register_job_model
from mlgates.delivery.workspace_ledger import Ledger
from mlgates.pipelines.dev import check_passed
from mlgates.pipelines.pipeline_run import PipelineRun, Stage, Summary
from mlgates.pipelines.shared_stages import Trained, run_gate, run_suite, train_twice
from mlgates.release.approval import decide, latest_decision
from mlgates.release.context import ReleaseContext
from mlgates.release.locking import Owner
from mlgates.release.releasing import release

NAME = "prod"


def plan(run: PipelineRun, archive: Path, stack: ExitStack) -> Sequence[Stage]:
    """Return the stages; what `archive` is unpacked to ends with `stack`."""
    return (
        Stage("check build", partial(_check, run, archive, stack)),
        Stage("train", partial(_train, run)),
        Stage("prod gate", partial(run_gate, run, NAME)),
        Stage("approval", partial(_approval, run)),
        Stage("register", partial(_register, run)),
        Stage("release", partial(_release, run)),
        Stage("smoke suite", partial(_smoke, run)),
    )


def _check(run: PipelineRun, archive: Path, stack: ExitStack, *, progress: Progress) -> Build:
    from_build = stack.enter_context(unpacked(archive))
    progress.run("dev gate", lambda: check_passed(from_build.build))
    run.take(from_build)
    return from_build.build


def _train(run: PipelineRun, *, progress: Progress) -> Trained:
    trained = train_twice(run, progress=progress)
    # Not registered yet: a version of the registry is something that a person has approved.
    run.model = candidate_of(run.client, run.settings, trained.job.name)
    return trained


def _approval(run: PipelineRun, *, progress: Progress) -> Entry:
    """Return the approval of just this content, given before or passed on now.

    Raises `NotAllowed` after a rejection, `PendingApproval` while nobody has decided.
    """
    model, record = run.model, run.gates[-1]
    entries = Ledger.of(run.client, run.settings).entries(*([model] if model else []))
    entry = latest_decision(entries, str(model), record.candidate.sha256 if record.candidate else "")
    if entry is not None and entry.action is Action.REJECTED:
        raise NotAllowed(f"{model} was rejected by {entry.by}: {entry.reason}; what serves goes on serving")
    if entry is not None and entry.action is Action.APPROVED:
        return progress.run("decision", lambda: entry)
    if not run.request.approver:
        raise PendingApproval(
            f"{model} waits for a decision: 'mlgates approve {model} --env {run.settings.environment} --by NAME "
            f"--reason TEXT', or reject; then run this pipeline again"
        )
    reason = run.request.reason or f"approved in the run of {Owner.here(os.environ).name}"
    decision = Draft(action=Action.APPROVED, by=run.request.approver, model=str(model), reason=reason)
    return decide(run.client, run.settings, decision, progress=progress)


def _register(run: PipelineRun, *, progress: Progress) -> AssetVersion:
    run.model = register_job_model(run.client, run.settings, run.job.name if run.job else None, progress=progress)
    return run.model


def _release(run: PipelineRun, *, progress: Progress) -> Released:
    context = ReleaseContext.of(run.client, run.settings, by=run.request.approver)
    version = run.model.version if run.model else None
    return release(context, version, canary=run.request.canary, progress=progress)


def _smoke(run: PipelineRun, *, progress: Progress) -> Summary:
    return run_suite("smoke", run.settings, progress=progress)
