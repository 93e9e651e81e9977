"""A release: an approved version is deployed beside the one that serves, tried, and given the traffic step by step.

Where it stands is read from the workspace, so that one that was killed anywhere is gone on with by running it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from mlgates.core.deployments import Deployment
from mlgates.core.errors import LedgerBroken, NotAllowed
from mlgates.core.ledger import Action, Draft, Entry
from mlgates.core.progress import Progress
from mlgates.core.releases import Released
from mlgates.core.side_by_side import side_by_side
from mlgates.core.values import ModelRef
from mlgates.delivery.batch import batch_deployment, batch_endpoint, make_default
from mlgates.delivery.live_endpoints import deployed_checksum, look_batch, look_online
from mlgates.delivery.mlflow_runs import tag_model
from mlgates.delivery.models import RELEASED_TAG, find_model
from mlgates.delivery.online import online_deployment, online_endpoint
from mlgates.release.approval import (
    Content,
    Served,
    check_deployed,
    check_gate,
    check_unchanged,
    content_of,
    permission,
)
from mlgates.release.blue_green import BASELINE, deleted, deploy_baseline, live_name, models_of, place_for
from mlgates.release.context import Work, holding
from mlgates.release.locking import RELEASE, free
from mlgates.release.release_file import ALL
from mlgates.release.samples import Samples, read_samples
from mlgates.release.traffic import Split, all_to, smoke, walk


@dataclass(frozen=True, slots=True)
class Position:
    """Where a release stands, as endpoint and ledger tell."""

    place: str
    """The deployment of the new version."""
    live: str | None
    """The one that serves; None for the first release, and when the new version serves already."""
    share: int
    """Percent of the traffic that the new version has."""
    is_tidy: bool
    """False when traffic is left where an earlier release, of another version, was given up."""
    last: Served | None
    """The version that was released last, this one included."""
    unproved: bool = False
    """True when the version is at its place already, and nothing tells that it is the approved content."""

    def is_done(self, model: str) -> bool:
        """Tell whether the release was recorded already."""
        return self.last is not None and (self.last.model, self.last.deployment) == (model, self.place)


def release(work: Work, version: str | None, *, canary: bool = True, progress: Progress) -> Released:
    """Release a version, by default the newest; without `canary` in one step.

    Raises `NotAllowed` without passed gate and approval of exactly this content, `EndpointHeld` while another release
    is under way, `SampleRefused` before anything is deployed, `DeploymentFailed`, `EndpointTestFailed`,
    `CanaryBroken` when the version does not come up or `CanaryUndecided` when nobody can tell: then the traffic is
    where it was before.
    """
    content = progress.run("content", lambda: content_of(work.client, work.settings, version))
    progress.run("approval", lambda: _permitted(work, content))
    samples = progress.run("samples", lambda: read_samples(work.settings, content.contract))
    model = str(content.model)
    return holding(
        work,
        model,
        RELEASE,
        lambda held: _released(held, content, samples, canary=canary, progress=progress),
        permitted=lambda entries: permission(entries, model, content.sha256),
        progress=progress,
    )


def _permitted(work: Work, content: Content) -> Entry:
    job = content.model.unregistered_job
    if job:
        raise NotAllowed(f"{content.model} is not registered: run 'mlgates register --job {job}' first")
    check_gate(content)
    return permission(work.ledger.entries(), str(content.model), content.sha256)


def _released(work: Work, content: Content, samples: Samples, *, canary: bool, progress: Progress) -> Released:
    model = content.model
    _permitted(work, content)  # somebody may have rejected it before the lock was taken
    online_endpoint(work.client, work.settings, poll_s=work.poll_s, progress=progress)
    batch_endpoint(work.client, work.settings, poll_s=work.poll_s, progress=progress)
    at = position(work, str(model))
    if at.live and not at.is_tidy:
        all_to(work, at.live, progress=progress)
    try:
        _gone_forth(work, content, samples, at, canary=canary, progress=progress)
        return progress.run("record", lambda: _recorded(work, content, at))
    except (LedgerBroken, NotAllowed):  # it was rejected meanwhile, or holds other files, or nobody can tell any more
        _put_back(work.way_back or work, str(model), at, progress=progress)
        raise


def _gone_forth(
    work: Work, content: Content, samples: Samples, at: Position, *, canary: bool, progress: Progress
) -> None:
    """Bring the version up, try it, and give it the traffic and the calls of the batch endpoint."""
    if at.unproved:
        with progress.step("earlier deployment") as step:
            step.done(deleted(work, "online", work.endpoint, at.place, progress=step.inner))
    batch = _deployed(work, content, at.place, progress=progress)
    try:
        progress.run("deployed content", lambda: check_deployed(work.client, work.settings, content, at.place))
    except NotAllowed:
        _taken_back(work.way_back or work, at, progress=progress)
        raise
    smoke(work, at.place, progress=progress)
    if at.live:
        steps = work.declared.canary.steps if canary else (ALL,)
        baseline = _baseline(work, at, steps, progress=progress)
        split = Split(at.place, at.live, at.share, baseline)
        walk(work, content, split, steps, samples, compared=canary, progress=progress)
    else:
        all_to(work, at.place, progress=progress)
    # A batch deployment holds no files: each job fetches them, so that they are looked at when it gets the calls.
    progress.run("batch content", lambda: check_unchanged(work.client, work.settings, content))
    make_default(work.client, batch.endpoint, batch.name, poll_s=work.poll_s, progress=progress)


def _put_back(work: Work, model: str, at: Position, *, progress: Progress) -> None:
    """Let serve what served by right before, or nothing when nothing did; a version that is released already stays."""
    if at.is_done(model):
        return
    if at.live or at.place in look_online(work.client, work.endpoint).shares:
        all_to(work, at.live, progress=progress)
    batch = look_batch(work.client, work.settings.batch_endpoint)
    models, before = models_of(batch), at.last.model if at.last else None
    earlier = next((name for name, each in models.items() if each == before), None)
    if earlier and models.get(batch.default or "") == model:
        make_default(work.client, batch.name, earlier, poll_s=work.poll_s, progress=progress)


def position(work: Work, model: str) -> Position:
    """Look where the release of `model` stands."""
    serving = look_online(work.client, work.endpoint)
    models, shares, stack = models_of(serving), serving.shares, work.stack()
    last = stack[-1] if stack else None
    if last is not None and last.model == model and models.get(last.deployment) == model:
        return Position(last.deployment, None, shares.get(last.deployment, 0), is_tidy=True, last=last)
    live = live_name(model, models, shares, stack)
    place = place_for(model, models, live)
    ours = models.get(place) == model
    busy = {*shares, *(serving.endpoint.mirror_traffic or {})}
    strays = shares.keys() - ({live, place, BASELINE} if ours else {live})
    return Position(
        place,
        live,
        shares.get(place, 0) if ours and not strays else 0,
        is_tidy=not strays,
        last=last,
        unproved=ours and place not in busy and not _is_proved(work, place, model),
    )


def _is_proved(work: Work, place: str, model: str) -> bool:
    """Tell whether the content of a deployment can be compared, or has had traffic before, which it gets once it was.

    One that a killed release has left may have fetched anything.
    """
    if deployed_checksum(work.client, work.endpoint, place) is not None:
        return True
    proved, begun = False, 0
    for entry in work.ledger.entries():
        if (entry.endpoint, entry.deployment) == (work.endpoint, place):
            proved, begun = entry.model == model, 0
        elif (entry.endpoint, entry.action, entry.reason, entry.model) == (
            work.endpoint,
            Action.LOCKED,
            RELEASE,
            model,
        ):
            begun += 1
    return proved and begun <= 1  # the one that is under way


def _taken_back(work: Work, at: Position, *, progress: Progress) -> None:
    """Leave no traffic with a deployment of other content, and no deployment that a later run would take for ours."""
    if at.share and at.live:
        all_to(work, at.live, progress=progress)
    if at.place not in look_online(work.client, work.endpoint).shares:
        with progress.step("its deployment") as step:
            step.done(deleted(work, "online", work.endpoint, at.place, progress=step.inner))


def _baseline(work: Work, at: Position, steps: Sequence[int], *, progress: Progress) -> str | None:
    """Deploy what serves once more, when that is declared and there is a step at which it gets as much traffic."""
    if not work.declared.baseline(work.settings) or min(steps) == ALL:
        return None
    if at.last is None or at.last.deployment != at.live:  # put there by hand: nobody knows what it should hold
        return None
    return deploy_baseline(work, at.last, progress=progress).name


def _deployed(work: Work, content: Content, place: str, *, progress: Progress) -> Deployment:
    """Deploy to both endpoints, side by side; return the batch deployment."""
    client, settings, model = work.client, work.settings, content.model
    batch = look_batch(client, settings.batch_endpoint)
    models = models_of(batch)
    default = batch.default if models.get(batch.default or "") != str(model) else None
    beside = place_for(str(model), models, default)
    deploy = {"online": partial(online_deployment, name=place), "batch": partial(batch_deployment, name=beside)}

    def one(kind: str, progress: Progress) -> Deployment:
        return deploy[kind](client, settings, model, poll_s=work.poll_s, progress=progress)

    return side_by_side({kind: partial(one, kind) for kind in deploy}, progress=progress)["batch"]


def _recorded(work: Work, content: Content, at: Position) -> Released:
    """Write the release down, tags first: once the ledger tells of it, nothing is left to be done."""
    model = str(content.model)
    before = at.last.model if at.last else None
    tag_model(work.client, content.model, {RELEASED_TAG: "true"})
    if before and before != model:
        superseded = find_model(work.client, work.settings, ModelRef.parse(before).version)
        tag_model(work.client, superseded, {RELEASED_TAG: "superseded"})
    if at.is_done(model):
        free(work.ledger, work.endpoint, by=work.owner.name, reason="it served already")
        return Released(model, work.endpoint, at.place, None, changed=False)
    draft = Draft(
        action=Action.RELEASED,
        by=work.person,
        model=model,
        sha256=content.sha256,
        endpoint=work.endpoint,
        deployment=at.place,
        facts={"before": before} if before else {},
    )
    work.ledger.append(lambda _: draft)
    return Released(model, work.endpoint, at.place, before, changed=True)
