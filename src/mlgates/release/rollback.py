"""A rollback: the version that served before gets the traffic again, without training, deployed again if need be."""

from collections.abc import Mapping
from dataclasses import dataclass

from mlgates.core.errors import EndpointLocked, NotAllowed
from mlgates.core.ledger import Action, Draft, lock_of
from mlgates.core.progress import Progress
from mlgates.core.values import AssetVersion, ModelArtifact, ModelRef, Released
from mlgates.delivery.batch import batch_deployment, make_default
from mlgates.delivery.models import RELEASED_TAG, find_model, tag_model
from mlgates.delivery.online import online_deployment
from mlgates.delivery.operations import get_batch_endpoint, get_online_endpoint
from mlgates.release.approval import (
    Served,
    check_deployed,
    check_unchanged,
    content_known,
    latest_decision,
    read_artifact,
    served,
)
from mlgates.release.blue_green import BASELINE, delete_deployment, models_of, remove_baseline, slot_for
from mlgates.release.context import ReleaseContext, locked
from mlgates.release.locking import ROLLBACK, free_lock
from mlgates.release.traffic import route_all_to, smoke_test, withdraw

_AWAY_FROM = "before"


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """What a rollback is going to do."""

    to: Served
    away_from: str
    """The version that loses the traffic, `classifier:3`."""
    unfinished: bool
    """True when that one's release never came to its end."""
    deployment: str | None
    """The deployment that serves what is returned to; None when it is gone."""
    stack: tuple[Served, ...]
    """What had served when this was planned."""


def rollback(context: ReleaseContext, *, reason: str = "", progress: Progress) -> Released:
    """Return to the version that served before; from a release that was given up, to the one that serves by right.

    Raises `NotAllowed` when nothing served before, `EndpointLocked` while a release is under way.
    """
    plan = plan_rollback(context)
    facts = {_AWAY_FROM: plan.away_from}
    with locked(context, plan.to.model, ROLLBACK, facts=facts, progress=progress) as held:
        return _roll_back(held, plan, reason, progress=progress)


def plan_rollback(context: ReleaseContext) -> RollbackPlan:
    """Look what there is to return to: what a rollback that was killed was on its way to, first of all."""
    entries = context.ledger.entries()
    stack, held = served(entries, context.endpoint), lock_of(entries, context.endpoint)
    if not stack:
        raise NotAllowed(f"nothing has been released to {context.endpoint} yet: there is nothing to return to")
    serving = get_online_endpoint(context.client, context.endpoint)
    models, last = models_of(serving), stack[-1]
    if held is not None and held.reason == ROLLBACK:
        unfinished = held.model == last.model
        to = last if unfinished else stack[-2]
        return RollbackPlan(to, held.facts[_AWAY_FROM], unfinished, _deployment_of(to, models), stack)
    strays = [name for name in serving.shares if name != BASELINE and models.get(name) != last.model]
    if strays:
        stray = strays[0]
        return RollbackPlan(
            last, models[stray] or stray, unfinished=True, deployment=_deployment_of(last, models), stack=stack
        )
    if len(stack) < 2:
        raise NotAllowed(
            f"{last.model} is the first version that {context.endpoint} serves: there is none to return to"
        )
    return RollbackPlan(
        stack[-2], last.model, unfinished=False, deployment=_deployment_of(stack[-2], models), stack=stack
    )


def _deployment_of(version: Served, models: Mapping[str, str | None]) -> str | None:
    if models.get(version.deployment) == version.model:
        return version.deployment
    return next((name for name, model in models.items() if name != BASELINE and model == version.model), None)


def _roll_back(context: ReleaseContext, plan: RollbackPlan, reason: str, *, progress: Progress) -> Released:
    if context.stack() != plan.stack:
        raise EndpointLocked(f"{context.endpoint} was released to or rolled back meanwhile: see 'mlgates history'")
    last = latest_decision(context.ledger.entries(), plan.to.model, plan.to.sha256)
    if last is not None and last.action is Action.REJECTED:
        raise NotAllowed(f"{plan.to.model} was rejected by {last.by} ({last.reason}): release another with --version")
    model = find_model(context.client, context.settings, ModelRef.parse(plan.to.model).version)
    artifact = ModelArtifact(model, plan.to.sha256)
    name = plan.deployment or _redeploy(context, plan, model, progress=progress)
    try:
        progress.run("deployed content", lambda: check_deployed(context.client, context.settings, artifact, name))
    except NotAllowed:
        if plan.deployment is None:
            with progress.step("its deployment") as step:
                step.done(delete_deployment(context, "online", context.endpoint, name, progress=step.inner))
        raise
    smoke_test(context, name, progress=progress)
    route_all_to(context, name, progress=progress)
    remove_baseline(context, progress=progress)
    _roll_back_batch(context, artifact, progress=progress)
    return progress.run("record", lambda: _recorded(context, plan, model, name, reason))


def _redeploy(context: ReleaseContext, plan: RollbackPlan, model: AssetVersion, *, progress: Progress) -> str:
    artifact = progress.run("content", lambda: read_artifact(context.client, context.settings, model.version))
    if artifact.sha256 != plan.to.sha256:
        raise NotAllowed(f"{model} has changed since it was released ({plan.to.since[:10]}): it is not deployed again")
    serving = get_online_endpoint(context.client, context.endpoint)
    name = slot_for(str(model), models_of(serving), next(iter(serving.shares), None))
    online_deployment(context.client, context.settings, model, name, poll_s=context.poll_s, progress=progress)
    return name


def _roll_back_batch(context: ReleaseContext, artifact: ModelArtifact, *, progress: Progress) -> None:
    model = artifact.asset
    batch = get_batch_endpoint(context.client, context.settings.batch_endpoint)
    models = models_of(batch)
    default = batch.default if models.get(batch.default or "") != str(model) else None
    name = slot_for(str(model), models, default)
    if models.get(name) != str(model):
        batch_deployment(context.client, context.settings, model, name, poll_s=context.poll_s, progress=progress)
    progress.run("batch content", lambda: check_unchanged(context.client, context.settings, artifact))
    make_default(context.client, batch.name, name, poll_s=context.poll_s, progress=progress)


def _recorded(context: ReleaseContext, plan: RollbackPlan, model: AssetVersion, name: str, reason: str) -> Released:
    tag_model(context.client, model, {RELEASED_TAG: "true"})
    away_from = ModelRef.match(plan.away_from)
    if away_from is None or away_from.name != model.name:  # put there by hand: no version to write about
        free_lock(
            context.ledger, context.endpoint, by=context.actor, reason=f"{plan.away_from} has no traffic any more"
        )
        return Released(str(model), context.endpoint, name, plan.away_from, changed=True)
    away = find_model(context.client, context.settings, away_from.version)
    if plan.unfinished:
        known = ModelArtifact(away, content_known(context.ledger.entries(), plan.away_from))
        withdraw(context, known, "", reason or "its release was given up", by=context.actor)
    else:
        tag_model(context.client, away, {RELEASED_TAG: "rolled back"})
        draft = Draft(
            action=Action.ROLLED_BACK,
            by=context.actor,
            model=str(model),
            sha256=plan.to.sha256,
            reason=reason,
            endpoint=context.endpoint,
            deployment=name,
            facts={_AWAY_FROM: plan.away_from},
        )
        context.ledger.append(lambda _: draft)
    return Released(str(model), context.endpoint, name, plan.away_from, changed=True)
