"""What the ledger says: who may go on, what served before, who holds an endpoint. Plain functions of its entries."""

from collections.abc import Sequence
from dataclasses import dataclass

from mlgates.core.errors import NotAllowed
from mlgates.core.ledger import Action, Entry

_DECISIONS = frozenset({Action.APPROVED, Action.REJECTED, Action.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Served:
    """A version that was given all the traffic of an endpoint."""

    model: str
    """Name and version, `classifier:3`."""
    sha256: str
    deployment: str
    since: str
    """UTC, ISO 8601."""


def standing(entries: Sequence[Entry], model: str, sha256: str = "") -> Entry | None:
    """Return the decision about a version that counts: an approval, a rejection, or that a release withdrew it.

    What was decided about the same content counts, whatever it was called: a job's model is registered once approved.
    A rejection stands, whatever comes after it, such as the end of a release that was under way; of the others the
    last counts. An approval from before a repair does not: what came after it may be lost.
    """
    about = [
        entry
        for entry in entries
        if entry.action in _DECISIONS and (entry.model == model or (sha256 and entry.sha256 == sha256))
    ]
    rejected = next((entry for entry in about if entry.action is Action.REJECTED), None)
    if rejected is not None or not about:
        return rejected
    last = about[-1]
    is_void = any(entry.action is Action.REPAIRED and entry.number > last.number for entry in entries)
    return None if is_void and last.action is Action.APPROVED else last


def content_known(entries: Sequence[Entry], model: str) -> str:
    """Return the checksum of a version's content as it was written last; empty when no entry tells it."""
    return next((entry.sha256 for entry in reversed(entries) if entry.model == model and entry.sha256), "")


def permission(entries: Sequence[Entry], model: str, sha256: str) -> Entry:
    """Return the approval under which a version with this content may be released. Raises `NotAllowed`."""
    last = standing(entries, model, sha256)
    if last is None:
        since = " since the ledger was repaired" if any(entry.action is Action.REPAIRED for entry in entries) else ""
        raise NotAllowed(f"{model} is not approved{since}: mlgates approve {model} --by NAME --reason TEXT")
    if last.action is Action.REJECTED:
        raise NotAllowed(f"{model} was rejected by {last.by} ({last.reason}): train another")
    if last.action is Action.WITHDRAWN:
        raise NotAllowed(f"{model} was withdrawn ({last.reason}): approve it again, knowing that, or train another")
    if last.sha256 != sha256:
        raise NotAllowed(
            f"{model} has changed since {last.by} approved it: its files give {sha256[:12]}, the approval is for "
            f"{last.sha256[:12]}; register what you trained as a new version"
        )
    return last


def check_decision(entries: Sequence[Entry], model: str, action: Action, sha256: str = "") -> None:
    """Raise `NotAllowed` when a version cannot be approved, or rejected, any more: it was already, or was rejected."""
    last = standing(entries, model, sha256)
    if last is None or last.action is Action.WITHDRAWN:
        return
    if last.action is action:
        raise NotAllowed(f"{model} was {action} already, by {last.by} on {last.at[:10]} ({last.reason})")
    if last.action is Action.REJECTED:
        raise NotAllowed(f"{model} was rejected by {last.by} ({last.reason}): train another")


def served(entries: Sequence[Entry], endpoint: str) -> tuple[Served, ...]:
    """Return what served at an endpoint, the present version last: a release adds to it, a rollback takes it off."""
    stack: list[Served] = []
    for entry in entries:
        if entry.endpoint != endpoint or entry.action not in {Action.RELEASED, Action.ROLLED_BACK}:
            continue
        if entry.action is Action.ROLLED_BACK:
            # What comes forth served before, maybe under another deployment.
            del stack[-2:]
        stack.append(Served(entry.model, entry.sha256, entry.deployment, entry.at))
    return tuple(stack)
