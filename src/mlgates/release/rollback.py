"""The way back: the version that served before gets the traffic again, without training, deployed anew if need be."""

from collections.abc import Mapping
from dataclasses import dataclass

from mlgates.core.errors import EndpointHeld, NotAllowed
from mlgates.core.ledger import Action, Draft, lock_of
from mlgates.core.progress import Progress
from mlgates.core.releases import Released
from mlgates.core.values import AssetVersion, ModelRef
from mlgates.delivery.batch import batch_deployment, make_default
from mlgates.delivery.live_endpoints import look_batch, look_online
from mlgates.delivery.mlflow_runs import tag_model
from mlgates.delivery.models import RELEASED_TAG, find_model
from mlgates.delivery.online import online_deployment
from mlgates.release.approval import (
    Content,
    Served,
    check_deployed,
    check_unchanged,
    content_known,
    content_of,
    served,
    standing,
)
from mlgates.release.blue_green import BASELINE, deleted, models_of, place_for, remove_baseline
from mlgates.release.context import Work, holding
from mlgates.release.locking import ROLLBACK, free
from mlgates.release.traffic import all_to, smoke, withdraw

_AWAY_FROM = "before"


@dataclass(frozen=True, slots=True)
class Return:
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


def rollback(work: Work, *, reason: str = "", progress: Progress) -> Released:
    """Return to the version that served before; from a release that was given up, to the one that serves by right.

    Raises `NotAllowed` when nothing served before, `EndpointHeld` while a release is under way.
    """
    plan = plan_of(work)
    return holding(
        work,
        plan.to.model,
        ROLLBACK,
        lambda held: _back(held, plan, reason, progress=progress),
        facts={_AWAY_FROM: plan.away_from},
        progress=progress,
    )


def plan_of(work: Work) -> Return:
    """Look what there is to return to: what a rollback that was killed was on its way to, first of all."""
    entries = work.ledger.entries()
    stack, held = served(entries, work.endpoint), lock_of(entries, work.endpoint)
    if not stack:
        raise NotAllowed(f"nothing has been released to {work.endpoint} yet: there is nothing to return to")
    serving = look_online(work.client, work.endpoint)
    models, last = models_of(serving), stack[-1]
    if held is not None and held.reason == ROLLBACK:
        unfinished = held.model == last.model
        to = last if unfinished else stack[-2]
        return Return(to, held.facts[_AWAY_FROM], unfinished, _where(to, models), stack)
    strays = [name for name in serving.shares if name != BASELINE and models.get(name) != last.model]
    if strays:
        stray = strays[0]
        return Return(last, models[stray] or stray, unfinished=True, deployment=_where(last, models), stack=stack)
    if len(stack) < 2:
        raise NotAllowed(f"{last.model} is the first version that {work.endpoint} serves: there is none to return to")
    return Return(stack[-2], last.model, unfinished=False, deployment=_where(stack[-2], models), stack=stack)


def _where(version: Served, models: Mapping[str, str | None]) -> str | None:
    if models.get(version.deployment) == version.model:
        return version.deployment
    return next((name for name, model in models.items() if name != BASELINE and model == version.model), None)


def _back(work: Work, plan: Return, reason: str, *, progress: Progress) -> Released:
    if work.stack() != plan.stack:
        raise EndpointHeld(f"{work.endpoint} was released to or rolled back meanwhile: see 'mlgates history'")
    last = standing(work.ledger.entries(), plan.to.model, plan.to.sha256)
    if last is not None and last.action is Action.REJECTED:
        raise NotAllowed(f"{plan.to.model} was rejected by {last.by} ({last.reason}): release another with --version")
    model = find_model(work.client, work.settings, ModelRef.parse(plan.to.model).version)
    content = Content(model, plan.to.sha256)
    name = plan.deployment or _deployed_again(work, plan, model, progress=progress)
    try:
        progress.run("deployed content", lambda: check_deployed(work.client, work.settings, content, name))
    except NotAllowed:
        if plan.deployment is None:
            with progress.step("its deployment") as step:
                step.done(deleted(work, "online", work.endpoint, name, progress=step.inner))
        raise
    smoke(work, name, progress=progress)
    all_to(work, name, progress=progress)
    remove_baseline(work, progress=progress)
    _batch_back(work, content, progress=progress)
    return progress.run("record", lambda: _recorded(work, plan, model, name, reason))


def _deployed_again(work: Work, plan: Return, model: AssetVersion, *, progress: Progress) -> str:
    content = progress.run("content", lambda: content_of(work.client, work.settings, model.version))
    if content.sha256 != plan.to.sha256:
        raise NotAllowed(f"{model} has changed since it was released ({plan.to.since[:10]}): it is not deployed again")
    serving = look_online(work.client, work.endpoint)
    name = place_for(str(model), models_of(serving), next(iter(serving.shares), None))
    online_deployment(work.client, work.settings, model, name, poll_s=work.poll_s, progress=progress)
    return name


def _batch_back(work: Work, content: Content, *, progress: Progress) -> None:
    model = content.model
    batch = look_batch(work.client, work.settings.batch_endpoint)
    models = models_of(batch)
    default = batch.default if models.get(batch.default or "") != str(model) else None
    name = place_for(str(model), models, default)
    if models.get(name) != str(model):
        batch_deployment(work.client, work.settings, model, name, poll_s=work.poll_s, progress=progress)
    progress.run("batch content", lambda: check_unchanged(work.client, work.settings, content))
    make_default(work.client, batch.name, name, poll_s=work.poll_s, progress=progress)


def _recorded(work: Work, plan: Return, model: AssetVersion, name: str, reason: str) -> Released:
    tag_model(work.client, model, {RELEASED_TAG: "true"})
    away_from = ModelRef.match(plan.away_from)
    if (
        away_from is None or away_from.name != model.name
    ):  # put there by hand: no version of ours, and none to write about
        free(work.ledger, work.endpoint, by=work.person, reason=f"{plan.away_from} has no traffic any more")
        return Released(str(model), work.endpoint, name, plan.away_from, changed=True)
    away = find_model(work.client, work.settings, away_from.version)
    if plan.unfinished:
        known = Content(away, content_known(work.ledger.entries(), plan.away_from))
        withdraw(work, known, "", reason or "its release was given up", by=work.person)
    else:
        tag_model(work.client, away, {RELEASED_TAG: "rolled back"})
        draft = Draft(
            action=Action.ROLLED_BACK,
            by=work.person,
            model=str(model),
            sha256=plan.to.sha256,
            reason=reason,
            endpoint=work.endpoint,
            deployment=name,
            facts={_AWAY_FROM: plan.away_from},
        )
        work.ledger.append(lambda _: draft)
    return Released(str(model), work.endpoint, name, plan.away_from, changed=True)
