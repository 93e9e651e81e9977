"""One release or rollback of an endpoint at a time: the lock is an entry of the ledger, and so is its end."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from mlgates.core.errors import ConfigurationError, EndpointHeld
from mlgates.core.ledger import Action, Draft, Entry, lock_of
from mlgates.delivery.ledger import Ledger
from mlgates.release.owner import Owner

RELEASE, ROLLBACK, TIDYING = "release", "rollback", "tidying"
"""What an endpoint is held for."""


def take(
    ledger: Ledger, endpoint: str, model: str, owner: Owner, *, reason: str, facts: Mapping[str, str] | None = None
) -> Entry:
    """Take the lock of `endpoint`, from nobody or from an owner that is dead; `reason` and `facts` say what for.

    Raises `EndpointHeld` with owner and age of the lock when it is held, or when a rollback has to be finished first.
    """

    def decide(entries: Sequence[Entry]) -> Draft:
        held = lock_of(entries, endpoint)
        if held is not None and not owner.may_take_over(held.facts):
            age = _age(ledger.clock() - datetime.fromisoformat(held.at))
            raise EndpointHeld(
                f"endpoint {endpoint} is held by {held.by} ({held.reason} of {held.model}) since {age}: wait for its "
                f"end, or, when it is dead, break the lock with 'mlgates unlock --by NAME'"
            )
        if held is not None and held.reason == ROLLBACK != reason:
            raise EndpointHeld(
                f"a rollback of {endpoint} to {held.model}, begun by {held.by}, did not come to its end: "
                "finish it with 'mlgates rollback'"
            )
        return Draft(
            action=Action.LOCKED,
            by=owner.name,
            model=model,
            reason=reason,
            endpoint=endpoint,
            facts={**(facts or {}), **owner.to_facts()},
        )

    return ledger.append(decide)


def check_held(entries: Sequence[Entry], lock: Entry) -> None:
    """Raise `EndpointHeld` unless `lock` is what holds its endpoint: its number is the token of whoever took it."""
    held = lock_of(entries, lock.endpoint)
    if held is not None and (held.number, held.checksum) == (lock.number, lock.checksum):
        return
    later = [entry for entry in entries if entry.endpoint == lock.endpoint and entry.number > lock.number]
    told = f"{later[0].action} by {later[0].by} in entry {later[0].number}" if later else "is not in the ledger"
    raise EndpointHeld(
        f"endpoint {lock.endpoint} is not held by this process any more (its lock, entry {lock.number}: {told}): "
        "nothing more is moved; see 'mlgates history'"
    )


def free(ledger: Ledger, endpoint: str, *, by: str, reason: str) -> Entry:
    """End the lock of `endpoint`, whoever holds it. Raises `ConfigurationError` when nobody does."""

    def decide(entries: Sequence[Entry]) -> Draft:
        held = lock_of(entries, endpoint)
        if held is None:
            raise ConfigurationError(f"endpoint {endpoint} is not locked: there is nothing to break")
        return Draft(action=Action.UNLOCKED, by=by, model=held.model, reason=reason, endpoint=endpoint)

    return ledger.append(decide)


def _age(since: timedelta) -> str:
    seconds = max(0, round(since.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
