"""What every step of a release needs, and how an endpoint is locked while the steps run."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from textwrap import shorten
from typing import TYPE_CHECKING, Self

from mlgates.config.settings import Settings
from mlgates.core.errors import MlgatesError, WorkspaceUnavailable
from mlgates.core.ledger import Entry
from mlgates.core.progress import Progress
from mlgates.delivery.operations import fenced, poll_seconds
from mlgates.delivery.workspace_ledger import Ledger
from mlgates.endpoint_client import Reach, reach
from mlgates.release.approval import Served, served
from mlgates.release.locking import Owner, check_lock, free_lock, take_lock
from mlgates.release.release_file import ReleaseConfig, read_release

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


@dataclass(frozen=True, slots=True)
class ReleaseContext:
    """A release or rollback that is under way."""

    client: "MLClient"
    settings: Settings
    declared: ReleaseConfig
    ledger: Ledger
    owner: Owner = field(default_factory=lambda: Owner.here(os.environ))
    by: str = ""
    """Who asked for it; the owner when nobody is named."""
    reach: Reach = reach
    """How a deployment is asked."""
    for_undo: "ReleaseContext | None" = None
    """With what everything is put back where it was, also when nothing may go forth any more; None for itself."""

    @classmethod
    def of(cls, client: "MLClient", settings: Settings, *, by: str = "") -> Self:
        """Return what a release of the project's model by this process needs."""
        ledger = Ledger.of(client, settings)
        return cls(client, settings, read_release(settings.project), ledger, Owner.here(os.environ), by.strip())

    @property
    def endpoint(self) -> str:
        """The online endpoint, which names the lock of the batch endpoint too: both change in one release."""
        return self.settings.online_endpoint

    @property
    def actor(self) -> str:
        """Who is named in the ledger."""
        return self.by or self.owner.name

    @property
    def poll_s(self) -> float:
        """How often an operation is asked after, in seconds."""
        return poll_seconds(self.settings)

    def stack(self) -> tuple[Served, ...]:
        """Return what served at the endpoint, the present version last."""
        return served(self.ledger.entries(), self.endpoint)


@contextlib.contextmanager
def locked(
    context: ReleaseContext,
    model: str,
    what: str,
    *,
    facts: Mapping[str, str] | None = None,
    permitted: Callable[[Sequence[Entry]], object] = lambda _: None,
    progress: Progress,
) -> Iterator[ReleaseContext]:
    """Lock the endpoint for `what` of `model`; `facts` are kept with the lock.

    What is yielded is fenced: before each change of an endpoint, and before each entry, the ledger is asked whether
    the lock is still the one that was taken here, and `EndpointLocked` raised when it is not; and whether the change
    is still `permitted`, which raises when it is not. Its `for_undo` asks for the lock alone, and goes on when the
    ledger was broken meanwhile: nobody else can take the lock then.

    The entry that a release ends with ends the lock. When it fails without one the lock is ended here; when the
    workspace is gone it stays, and whoever comes after the death of this process takes it over.
    """
    lock = progress.run(
        "lock", lambda: take_lock(context.ledger, context.endpoint, model, context.owner, reason=what, facts=facts)
    )
    try:
        yield _fenced(context, lock, permitted)
    except WorkspaceUnavailable as error:
        raise WorkspaceUnavailable(
            f"{error}; the traffic of {context.endpoint} is as it was: run this again, and it goes on from there"
        ) from error
    except MlgatesError as error:
        # What fits into a tag is read without fetching the entry's file.
        _free_after_failure(_fenced(context, lock), shorten(str(error).splitlines()[0], 250))
        raise


def _fenced(
    context: ReleaseContext, lock: Entry, permitted: Callable[[Sequence[Entry]], object] = lambda _: None
) -> ReleaseContext:
    def check(entries: Sequence[Entry]) -> None:
        check_lock(entries, lock)
        permitted(entries)

    def check_lock_alone() -> None:
        reading = context.ledger.read()
        if reading.fault is None or lock in reading.entries:
            check_lock(reading.entries, lock)

    ledger = context.ledger.guarded(lambda entries: check_lock(entries, lock))
    return replace(
        context,
        client=fenced(context.client, lambda: check(context.ledger.entries())),
        ledger=context.ledger.guarded(check),
        for_undo=replace(context, client=fenced(context.client, check_lock_alone), ledger=ledger),
    )


def _free_after_failure(context: ReleaseContext, reason: str) -> None:
    # The lock may be another's by now, or ended, or nothing can be written: what went wrong first is what is raised.
    with contextlib.suppress(MlgatesError):
        free_lock(context.ledger, context.endpoint, by=context.owner.name, reason=reason)
