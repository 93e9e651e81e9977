"""What becomes of the jobs of a server that was killed."""

from amlocal.core.paths import Folder
from amlocal.jobs.collect import Collector
from amlocal.jobs.failure import fault
from amlocal.jobs.folder import JobFolder
from amlocal.jobs.queue import JobQueue
from amlocal.jobs.runner import STOPPED
from amlocal.jobs.states import Status
from amlocal.jobs.store import JobStore


def recover(store: JobStore, queue: JobQueue, collector: Collector, folder: Folder) -> None:
    """Queue again what had not begun; show what ran as failed, with the reason, and keep its log."""
    for document in store.unfinished():
        if Status(document.body["status"]).waiting:
            queue.submit(document)
            continue
        place = JobFolder(folder.jobs / document.name)
        collector.log(document.name, place)
        if document.body["status"] == Status.CANCEL_REQUESTED:
            store.advance(document.name, Status.CANCELED)
        else:
            store.advance(document.name, Status.FAILED, error=fault(STOPPED))
        place.remove()
