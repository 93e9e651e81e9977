"""What becomes of the jobs of a server that was stopped or killed."""

import asyncio

from amlocal.core.paths import Folder
from amlocal.jobs.ending import CANCELED, STOPPED
from amlocal.jobs.queue import JobQueue
from amlocal.jobs.runner import Runner
from amlocal.jobs.states import Status
from amlocal.jobs.store import JobStore


async def recover(store: JobStore, queue: JobQueue, runner: Runner, folder: Folder) -> None:
    """Queue again what had not begun; show what ran as failed, with the reason, and keep its log and artifacts."""
    unfinished = {document.name: document for document in store.unfinished()}
    for name, document in unfinished.items():
        status = Status(document.body["status"])
        if not status.waiting:
            await runner.conclude(name, CANCELED if status == Status.CANCEL_REQUESTED else STOPPED)
    for path in await asyncio.to_thread(lambda: sorted(folder.jobs.iterdir())):
        await runner.tidy(path.name)
    for document in unfinished.values():
        # A pipeline job is not run: it follows the job in it.
        if Status(document.body["status"]).waiting and document.body["properties"]["jobType"] == "Command":
            queue.submit(document)
