"""Which deployments an endpoint has: blue and green by turns, a baseline during a canary, and when each is deleted.

What has served for weeks has full caches and all the traffic: what differs then is not the version alone. So, as
Kayenta has it, the baseline is deployed when the new one is, as the same file declares it, and gets as much traffic.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mlgates.core.errors import AssetMissing, DeploymentFailed, EndpointTestFailed, NotAllowed
from mlgates.core.ledger import Action, Entry
from mlgates.core.progress import Progress
from mlgates.core.values import ModelArtifact, ModelRef
from mlgates.delivery.models import find_model
from mlgates.delivery.online import online_deployment, smoke_test_online
from mlgates.delivery.operations import (
    Change,
    LiveBatchEndpoint,
    LiveOnlineEndpoint,
    OperationResult,
    get_batch_endpoint,
    get_online_endpoint,
    run_operation,
    served_model,
)
from mlgates.release.approval import Served, check_deployed, check_unchanged
from mlgates.release.context import ReleaseContext, locked
from mlgates.release.locking import TIDYING, free_lock

if TYPE_CHECKING:
    from azure.ai.ml.entities import BatchDeployment, OnlineDeployment

SLOTS = ("blue", "green")
"""The deployments of a release, by turns. A deployment of another name is left alone, and serves until the first."""
BASELINE = "canary-baseline"
"""A fresh deployment of the version that serves, during a canary; `live_deployment` never names it."""
_MOVES_TRAFFIC = frozenset({Action.RELEASED, Action.ROLLED_BACK, Action.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the new version is compared with."""

    name: str | None
    """The fresh deployment; None when there is none."""
    reason: str = ""
    """Why there is none."""

    @property
    def summary(self) -> str:
        """In one phrase."""
        return self.name or f"none, the deployment that serves takes its place: {self.reason}"


def models_of(serving: LiveOnlineEndpoint | LiveBatchEndpoint) -> dict[str, str | None]:
    """Return what each deployment serves, `classifier:3`; None for what is no registered model."""
    return {name: _model(deployment) for name, deployment in serving.deployments.items()}


def live_deployment(
    model: str, models: Mapping[str, str | None], shares: Mapping[str, int], stack: Sequence[Served]
) -> str | None:
    """Return the deployment that serves by right beside the release of `model`, None when there is none.

    That is the last one released; when the ledger names none that is still there, the one with most traffic that
    serves another model. `models` is what each deployment serves, `shares` the traffic, the largest first.
    """
    last = stack[-1] if stack else None
    if last is not None and models.get(last.deployment) == last.model:
        return last.deployment
    return next((name for name in shares if name != BASELINE and models.get(name) != model), None)


def slot_for(model: str, models: Mapping[str, str | None], live: str | None) -> str:
    """Return the name to deploy `model` under: where it is already, beside `live`, or the first that is free."""
    free = [name for name in SLOTS if name != live]
    return next((name for name in free if models.get(name) == model), next(iter(_empty(free, models)), free[0]))


def deploy_baseline(context: ReleaseContext, live: Served, *, progress: Progress) -> Baseline:
    """Deploy what serves once more; without traffic, and tried. When that cannot be there is none, with the reason."""
    with progress.step("baseline") as step:
        return step.done(_deployed(context, live, progress=step.inner))


def remove_baseline(context: ReleaseContext, *, progress: Progress) -> None:
    """Take the baseline away, also what a killed release has left of one; it must have no traffic any more."""
    if BASELINE in get_online_endpoint(context.client, context.endpoint).deployments:
        with progress.step("baseline removed") as step:
            step.done(delete_deployment(context, "online", context.endpoint, BASELINE, progress=step.inner))


def tidy(context: ReleaseContext, *, progress: Progress) -> list[OperationResult]:
    """Take away the blue or green deployments without traffic, once the time that release.yml declares is over.

    Raises `EndpointLocked` while a release is under way.
    """
    entries = context.ledger.entries()
    if not _is_keep_time_over(context, entries):
        return []
    with locked(context, entries[-1].model, TIDYING, progress=progress) as held:
        return _delete_unused(held, progress=progress)


def delete_deployment(
    context: ReleaseContext, kind: str, endpoint: str, name: str, *, progress: Progress
) -> OperationResult:
    """Delete a deployment, `kind` being `online` or `batch`; the workspace refuses while it has traffic."""
    deployments = context.client.online_deployments if kind == "online" else context.client.batch_deployments
    with progress.step(f"{kind} {name}") as step:
        run_operation(step, lambda: deployments.begin_delete(name, endpoint), poll_s=context.poll_s)
        return step.done(OperationResult(f"{endpoint}/{name}", Change.DELETED))


def _empty(names: Sequence[str], models: Mapping[str, str | None]) -> list[str]:
    return [name for name in names if name not in models]


def _model(deployment: "OnlineDeployment | BatchDeployment") -> str | None:
    try:
        return str(served_model(deployment))
    except AssetMissing:
        return None


def _deployed(context: ReleaseContext, live: Served, *, progress: Progress) -> Baseline:
    try:
        _bring_up_baseline(context, live, progress=progress)
    except (DeploymentFailed, NotAllowed, EndpointTestFailed) as error:
        reason = str(error).splitlines()[0]
    else:
        return Baseline(BASELINE)
    serving = get_online_endpoint(context.client, context.endpoint)
    # A deployment that came up half takes an instance, or the quota for one.
    if BASELINE in serving.deployments and BASELINE not in serving.shares:
        delete_deployment(context, "online", context.endpoint, BASELINE, progress=progress)
    return Baseline(None, reason)


def _bring_up_baseline(context: ReleaseContext, live: Served, *, progress: Progress) -> None:
    model = find_model(context.client, context.settings, ModelRef.parse(live.model).version)
    artifact = ModelArtifact(model, live.sha256)
    check_unchanged(context.client, context.settings, artifact)
    serving = get_online_endpoint(context.client, context.endpoint)
    if BASELINE in serving.deployments and BASELINE not in serving.shares:  # left by a killed release, and never proved
        delete_deployment(context, "online", context.endpoint, BASELINE, progress=progress)
    online_deployment(context.client, context.settings, model, BASELINE, poll_s=context.poll_s, progress=progress)
    check_deployed(context.client, context.settings, artifact, BASELINE)
    smoke_test_online(context.client, context.settings, deployment=BASELINE, reach=context.reach)


def _is_keep_time_over(context: ReleaseContext, entries: Sequence[Entry]) -> bool:
    moves = [entry for entry in entries if entry.endpoint == context.endpoint and entry.action in _MOVES_TRAFFIC]
    if not moves:
        return False
    since = context.ledger.clock() - datetime.fromisoformat(moves[-1].at)
    return since >= timedelta(hours=context.declared.keep_old_for_hours)


def _delete_unused(context: ReleaseContext, *, progress: Progress) -> list[OperationResult]:
    client, online = context.client, get_online_endpoint(context.client, context.endpoint)
    batch = get_batch_endpoint(client, context.settings.batch_endpoint)
    busy = {*online.shares, *(online.endpoint.mirror_traffic or {})}
    outcomes = []
    for name in (*SLOTS, BASELINE):
        if name in online.deployments and name not in busy:
            outcomes.append(delete_deployment(context, "online", online.name, name, progress=progress))
        if name in batch.deployments and name != batch.default:
            outcomes.append(delete_deployment(context, "batch", batch.name, name, progress=progress))
    free_lock(context.ledger, context.endpoint, by=context.owner.name, reason="tidied")
    return outcomes
