import asyncio
from typing import Any, cast

from amlocal.core.documents import Document
from amlocal.core.paths import WorkspaceFolder
from amlocal.jobs.runner import recover
from amlocal.jobs.status import Status
from tests.unit.amlocal.batch.conftest import Batch, call


class Next:
    """The queue and the runner of the next server, as far as recovery asks them."""

    def __init__(self, batch: Batch) -> None:
        self._jobs = batch.stores.jobs
        self.queued: list[str] = []

    def submit(self, document: Document) -> None:
        self.queued.append(document.name)

    async def finish(self, name: str, ending: Any) -> None:
        self._jobs.advance(name, ending.status)


def restart(batch: Batch) -> Next:
    """Take up the jobs as the next server does; return what it queued."""
    following, folder = Next(batch), WorkspaceFolder(batch.scratch / "w")
    folder.jobs.mkdir(parents=True)
    asyncio.run(recover(batch.stores.jobs, cast("Any", following), cast("Any", following), folder))
    return following


def test_a_call_that_waits_is_queued_by_the_next_server_and_its_pipeline_is_not(batch: Batch) -> None:
    batch.ready().invoker.invoke("scores", None, None, call())
    assert restart(batch).queued == batch.queued


def test_a_call_that_ran_when_the_server_was_killed_has_failed_as_a_whole(batch: Batch) -> None:
    job = batch.ready().invoker.invoke("scores", None, None, call()).name
    batch.stores.jobs.advance(batch.queued[0], Status.PREPARING)
    restart(batch)
    assert batch.stores.jobs.status(job) == batch.stores.jobs.status(batch.queued[0]) == Status.FAILED
