"""How deployments that no one needs any more are taken away: not before their time, and never with traffic."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from mlgates.core.ledger import Action, Entry
from mlgates.core.progress import Progress
from mlgates.delivery.operations import Change, OperationResult, finished
from mlgates.delivery.serving import look_batch, look_online
from mlgates.release.lock import TIDYING, free
from mlgates.release.places import BASELINE, SLOTS
from mlgates.release.work import Work, holding

_MOVES_TRAFFIC = frozenset({Action.RELEASED, Action.ROLLED_BACK, Action.WITHDRAWN})


def tidy(work: Work, *, progress: Progress) -> list[OperationResult]:
    """Take away the blue or green deployments without traffic, once the time that release.yml declares is over.

    Raises `EndpointHeld` while a release is under way.
    """
    entries = work.ledger.entries()
    if not _is_over(work, entries):
        return []
    moved = entries[-1].model
    return holding(work, moved, TIDYING, lambda held: _taken_away(held, progress=progress), progress=progress)


def _is_over(work: Work, entries: Sequence[Entry]) -> bool:
    moves = [entry for entry in entries if entry.endpoint == work.endpoint and entry.action in _MOVES_TRAFFIC]
    if not moves:
        return False
    since = work.ledger.clock() - datetime.fromisoformat(moves[-1].at)
    return since >= timedelta(hours=work.declared.keep_old_for_hours)


def _taken_away(work: Work, *, progress: Progress) -> list[OperationResult]:
    client, online = work.client, look_online(work.client, work.endpoint)
    batch = look_batch(client, work.settings.batch_endpoint)
    busy = {*online.shares, *(online.endpoint.mirror_traffic or {})}
    outcomes = []
    for name in (*SLOTS, BASELINE):
        if name in online.deployments and name not in busy:
            outcomes.append(deleted(work, "online", online.name, name, progress=progress))
        if name in batch.deployments and name != batch.default:
            outcomes.append(deleted(work, "batch", batch.name, name, progress=progress))
    free(work.ledger, work.endpoint, by=work.owner.name, reason="tidied")
    return outcomes


def deleted(work: Work, kind: str, endpoint: str, name: str, *, progress: Progress) -> OperationResult:
    """Delete a deployment, `kind` being `online` or `batch`; the workspace refuses while it has traffic."""
    deployments = work.client.online_deployments if kind == "online" else work.client.batch_deployments
    with progress.step(f"{kind} {name}") as step:
        finished(step, lambda: deployments.begin_delete(name, endpoint), poll_s=work.poll_s)
        return step.done(OperationResult(f"{endpoint}/{name}", Change.DELETED))
