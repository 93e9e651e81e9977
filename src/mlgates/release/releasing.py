"""A release: an approved version is deployed beside the one that serves, tried, and given the traffic step by step.

Its state is read from the workspace, so that one that was killed anywhere is continued by running it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from mlgates.core.errors import LedgerBroken, NotAllowed
from mlgates.core.ledger import Action, Draft, Entry
from mlgates.core.progress import Progress, side_by_side
from mlgates.core.values import Deployment, ModelArtifact, ModelRef, Released
from mlgates.delivery.batch import batch_deployment, batch_endpoint, make_default
from mlgates.delivery.models import RELEASED_TAG, find_model, tag_model
from mlgates.delivery.online import online_deployment, online_endpoint
from mlgates.delivery.operations import deployed_checksum, get_batch_endpoint, get_online_endpoint
from mlgates.release.approval import (
    Served,
    check_deployed,
    check_gate,
    check_unchanged,
    read_candidate,
    required_approval,
)
from mlgates.release.blue_green import (
    BASELINE,
    delete_deployment,
    deploy_baseline,
    live_deployment,
    models_of,
    slot_for,
)
from mlgates.release.context import ReleaseContext, locked
from mlgates.release.locking import RELEASE, free_lock
from mlgates.release.release_file import ALL
from mlgates.release.samples import Samples, read_samples
from mlgates.release.traffic import Split, route_all_to, shift_traffic, smoke_test


@dataclass(frozen=True, slots=True)
class ReleaseState:
    """How far a release is, read from endpoint and ledger."""

    slot: str
    """The deployment of the new version."""
    live: str | None
    """The one that serves; None for the first release, and when the new version serves already."""
    share: int
    """Percent of the traffic that the new version has."""
    is_clean: bool
    """False when traffic is left where an earlier release, of another version, was given up."""
    last: Served | None
    """The version that was released last, this one included."""
    unverified: bool = False
    """True when the version is in its slot already, and nothing shows that it is the approved content."""

    def is_done(self, model: str) -> bool:
        """Return whether the release was recorded already."""
        return self.last is not None and (self.last.model, self.last.deployment) == (model, self.slot)


def release(context: ReleaseContext, version: str | None, *, canary: bool = True, progress: Progress) -> Released:
    """Release a version, by default the newest; without `canary` in one step.

    Raises `NotAllowed` without passed gate and approval of exactly this content, `EndpointLocked` while another release
    is under way, `SampleRefused` before anything is deployed, `DeploymentFailed`, `EndpointTestFailed`,
    `CanaryFailed` when the version does not come up or `CanaryUndecided` when there is no verdict: then the traffic is
    where it was before.
    """
    with progress.step("content") as step:
        artifact, contract = read_candidate(context.client, context.settings, version)
        step.done(artifact)
    progress.run("approval", lambda: _check_permitted(context, artifact))
    samples = progress.run("samples", lambda: read_samples(context.settings, contract))
    model = artifact.model

    def permitted(entries: Sequence[Entry]) -> Entry:
        return required_approval(entries, model, artifact.sha256)

    with locked(context, model, RELEASE, permitted=permitted, progress=progress) as held:
        return _release_locked(held, artifact, samples, canary=canary, progress=progress)


def _check_permitted(context: ReleaseContext, artifact: ModelArtifact) -> Entry:
    job = artifact.asset.unregistered_job
    if job:
        raise NotAllowed(f"{artifact.model} is not registered: run 'mlgates register --job {job}' first")
    check_gate(artifact)
    return required_approval(context.ledger.entries(), artifact.model, artifact.sha256)


def _release_locked(
    context: ReleaseContext, artifact: ModelArtifact, samples: Samples, *, canary: bool, progress: Progress
) -> Released:
    model = artifact.asset
    _check_permitted(context, artifact)  # somebody may have rejected it before the lock was taken
    online_endpoint(context.client, context.settings, poll_s=context.poll_s, progress=progress)
    batch_endpoint(context.client, context.settings, poll_s=context.poll_s, progress=progress)
    state = release_state(context, str(model))
    if state.live and not state.is_clean:
        route_all_to(context, state.live, progress=progress)
    try:
        _deploy_and_shift(context, artifact, samples, state, canary=canary, progress=progress)
        return progress.run("record", lambda: _recorded(context, artifact, state))
    except (LedgerBroken, NotAllowed):  # it was rejected meanwhile, or has other files, or the ledger is broken
        _restore_previous(context.for_undo or context, str(model), state, progress=progress)
        raise


def _deploy_and_shift(
    context: ReleaseContext,
    artifact: ModelArtifact,
    samples: Samples,
    state: ReleaseState,
    *,
    canary: bool,
    progress: Progress,
) -> None:
    """Bring the version up, try it, and give it the traffic and the calls of the batch endpoint."""
    if state.unverified:
        with progress.step("earlier deployment") as step:
            step.done(delete_deployment(context, "online", context.endpoint, state.slot, progress=step.inner))
    batch = _deployed(context, artifact, state.slot, progress=progress)
    try:
        progress.run("deployed content", lambda: check_deployed(context.client, context.settings, artifact, state.slot))
    except NotAllowed:
        _remove_new_deployment(context.for_undo or context, state, progress=progress)
        raise
    smoke_test(context, state.slot, progress=progress)
    if state.live:
        steps = context.declared.canary.steps if canary else (ALL,)
        baseline = _baseline(context, state, steps, progress=progress)
        split = Split(state.slot, state.live, state.share, baseline)
        shift_traffic(context, artifact, split, steps, samples, compared=canary, progress=progress)
    else:
        route_all_to(context, state.slot, progress=progress)
    # A batch deployment keeps no files: each job fetches them, so that they are looked at when it gets the calls.
    progress.run("batch content", lambda: check_unchanged(context.client, context.settings, artifact))
    make_default(context.client, batch.endpoint, batch.name, poll_s=context.poll_s, progress=progress)


def _restore_previous(context: ReleaseContext, model: str, state: ReleaseState, *, progress: Progress) -> None:
    """Let serve what served by right before, or nothing when nothing did; a version that is released already stays."""
    if state.is_done(model):
        return
    if state.live or state.slot in get_online_endpoint(context.client, context.endpoint).shares:
        route_all_to(context, state.live, progress=progress)
    batch = get_batch_endpoint(context.client, context.settings.batch_endpoint)
    models, before = models_of(batch), state.last.model if state.last else None
    earlier = next((name for name, each in models.items() if each == before), None)
    if earlier and models.get(batch.default or "") == model:
        make_default(context.client, batch.name, earlier, poll_s=context.poll_s, progress=progress)


def release_state(context: ReleaseContext, model: str) -> ReleaseState:
    """Return how far the release of `model` is."""
    serving = get_online_endpoint(context.client, context.endpoint)
    models, shares, stack = models_of(serving), serving.shares, context.stack()
    last = stack[-1] if stack else None
    if last is not None and last.model == model and models.get(last.deployment) == model:
        return ReleaseState(last.deployment, None, shares.get(last.deployment, 0), is_clean=True, last=last)
    live = live_deployment(model, models, shares, stack)
    slot = slot_for(model, models, live)
    ours = models.get(slot) == model
    busy = {*shares, *(serving.endpoint.mirror_traffic or {})}
    strays = shares.keys() - ({live, slot, BASELINE} if ours else {live})
    return ReleaseState(
        slot,
        live,
        shares.get(slot, 0) if ours and not strays else 0,
        is_clean=not strays,
        last=last,
        unverified=ours and slot not in busy and not _is_verified(context, slot, model),
    )


def _is_verified(context: ReleaseContext, slot: str, model: str) -> bool:
    """Return whether the content of a deployment can be compared, or has had traffic before, which it gets once it was.

    One that a killed release has left may have fetched anything.
    """
    if deployed_checksum(context.client, context.endpoint, slot) is not None:
        return True
    proved, begun = False, 0
    for entry in context.ledger.entries():
        if (entry.endpoint, entry.deployment) == (context.endpoint, slot):
            proved, begun = entry.model == model, 0
        elif (entry.endpoint, entry.action, entry.reason, entry.model) == (
            context.endpoint,
            Action.LOCKED,
            RELEASE,
            model,
        ):
            begun += 1
    return proved and begun <= 1  # the one that is under way


def _remove_new_deployment(context: ReleaseContext, state: ReleaseState, *, progress: Progress) -> None:
    """Leave no traffic with a deployment of other content, and no deployment that a later run would take for ours."""
    if state.share and state.live:
        route_all_to(context, state.live, progress=progress)
    if state.slot not in get_online_endpoint(context.client, context.endpoint).shares:
        with progress.step("its deployment") as step:
            step.done(delete_deployment(context, "online", context.endpoint, state.slot, progress=step.inner))


def _baseline(context: ReleaseContext, state: ReleaseState, steps: Sequence[int], *, progress: Progress) -> str | None:
    """Deploy what serves once more, when that is declared and there is a step at which it gets as much traffic."""
    if not context.declared.baseline(context.settings) or min(steps) == ALL:
        return None
    if state.last is None or state.last.deployment != state.live:  # put there by hand: nobody knows its content
        return None
    return deploy_baseline(context, state.last, progress=progress).name


def _deployed(context: ReleaseContext, artifact: ModelArtifact, slot: str, *, progress: Progress) -> Deployment:
    """Deploy to both endpoints, side by side; return the batch deployment."""
    client, settings, model = context.client, context.settings, artifact.asset
    batch = get_batch_endpoint(client, settings.batch_endpoint)
    models = models_of(batch)
    default = batch.default if models.get(batch.default or "") != str(model) else None
    beside = slot_for(str(model), models, default)
    deploy = {"online": partial(online_deployment, name=slot), "batch": partial(batch_deployment, name=beside)}

    def one(kind: str, progress: Progress) -> Deployment:
        return deploy[kind](client, settings, model, poll_s=context.poll_s, progress=progress)

    return side_by_side({kind: partial(one, kind) for kind in deploy}, progress=progress)["batch"]


def _recorded(context: ReleaseContext, artifact: ModelArtifact, state: ReleaseState) -> Released:
    """Write the release down, tags first: once the ledger has it, nothing is left to be done."""
    model = artifact.model
    before = state.last.model if state.last else None
    tag_model(context.client, artifact.asset, {RELEASED_TAG: "true"})
    if before and before != model:
        superseded = find_model(context.client, context.settings, ModelRef.parse(before).version)
        tag_model(context.client, superseded, {RELEASED_TAG: "superseded"})
    if state.is_done(model):
        free_lock(context.ledger, context.endpoint, by=context.owner.name, reason="it served already")
        return Released(model, context.endpoint, state.slot, None, changed=False)
    draft = Draft(
        action=Action.RELEASED,
        by=context.actor,
        model=model,
        sha256=artifact.sha256,
        endpoint=context.endpoint,
        deployment=state.slot,
        facts={"before": before} if before else {},
    )
    context.ledger.append(lambda _: draft)
    return Released(model, context.endpoint, state.slot, before, changed=True)
