"""What every step of a release has at hand, and how an endpoint is held while the steps are gone."""

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from textwrap import shorten
from typing import TYPE_CHECKING, TypeVar

from mlgates.config.settings import Settings
from mlgates.core.errors import MlgatesError, WorkspaceUnavailable
from mlgates.core.ledger import Entry
from mlgates.core.progress import Progress
from mlgates.delivery.connection import poll_seconds
from mlgates.delivery.operations import fenced
from mlgates.delivery.workspace_ledger import Ledger
from mlgates.release.approval import Served, served
from mlgates.release.locking import Owner, check_held, free, take
from mlgates.release.probe import Reach, reach
from mlgates.release.release_file import Release

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Work:
    """A release or rollback at work."""

    client: "MLClient"
    settings: Settings
    declared: Release
    ledger: Ledger
    owner: Owner = field(default_factory=lambda: Owner.here(os.environ))
    by: str = ""
    """Who asked for it; the owner when nobody is named."""
    reach: Reach = reach
    """How a deployment is asked."""
    way_back: "Work | None" = None
    """With what everything is put back where it was, also when nothing may go forth any more; None for itself."""

    @property
    def endpoint(self) -> str:
        """The online endpoint, which stands for the batch endpoint too: both change in one release."""
        return self.settings.online_endpoint

    @property
    def person(self) -> str:
        """Who is named in the ledger."""
        return self.by or self.owner.name

    @property
    def poll_s(self) -> float:
        """How often an operation is asked after, in seconds."""
        return poll_seconds(self.settings)

    def stack(self) -> tuple[Served, ...]:
        """Return what served at the endpoint, the present version last."""
        return served(self.ledger.entries(), self.endpoint)


def holding(
    work: Work,
    model: str,
    what: str,
    run: Callable[[Work], T],
    *,
    facts: Mapping[str, str] | None = None,
    permitted: Callable[[Sequence[Entry]], object] = lambda _: None,
    progress: Progress,
) -> T:
    """Go the steps of `run` while the endpoint is held for `what` of `model`; `facts` tell more of it.

    `run` is handed a `Work` that is fenced: before each change of an endpoint, and before each entry, the ledger is
    asked whether the lock is still the one that was taken here, and `EndpointHeld` raised when it is not; and whether
    what it does is still `permitted`, which raises when it is not. Its `way_back` asks for the lock alone, and goes on
    when the ledger was broken meanwhile: nobody else can take the lock then.

    The entry that `run` ends with ends the lock. When it fails without one the lock is ended here; when the workspace
    is gone it stays, and whoever comes after the death of this process takes it over.
    """
    lock = progress.run("lock", lambda: take(work.ledger, work.endpoint, model, work.owner, reason=what, facts=facts))
    try:
        return run(_fenced(work, lock, permitted))
    except WorkspaceUnavailable as error:
        raise WorkspaceUnavailable(
            f"{error}; the traffic of {work.endpoint} is as it was: run this again, and it goes on from there"
        ) from error
    except MlgatesError as error:
        # What fits into a tag is read without fetching the entry's file.
        _let_go(_fenced(work, lock), shorten(str(error).splitlines()[0], 250))
        raise


def _fenced(work: Work, lock: Entry, permitted: Callable[[Sequence[Entry]], object] = lambda _: None) -> Work:
    def check(entries: Sequence[Entry]) -> None:
        check_held(entries, lock)
        permitted(entries)

    def check_lock() -> None:
        reading = work.ledger.read()
        if reading.fault is None or lock in reading.entries:
            check_held(reading.entries, lock)

    ledger = work.ledger.guarded(lambda entries: check_held(entries, lock))
    return replace(
        work,
        client=fenced(work.client, lambda: check(work.ledger.entries())),
        ledger=work.ledger.guarded(check),
        way_back=replace(work, client=fenced(work.client, check_lock), ledger=ledger),
    )


def _let_go(work: Work, reason: str) -> None:
    # The lock may be another's by now, or ended, or nothing can be written: what went wrong first is what is raised.
    with contextlib.suppress(MlgatesError):
        free(work.ledger, work.endpoint, by=work.owner.name, reason=reason)
