"""Reads a workspace's folder while no server answers for it."""

from contextlib import closing

from amlocal.blobs import BlobStore
from amlocal.core.clock import random_ids, system_clock
from amlocal.core.database import Database
from amlocal.core.documents import Documents
from amlocal.core.errors import AmlocalError
from amlocal.core.paths import Folder
from amlocal.datastores.store import ARTIFACT_CONTAINER
from amlocal.jobs.folder import LOG_NAME, JobFolder
from amlocal.jobs.outputs import artifact_path
from amlocal.jobs.steps import step_of
from amlocal.jobs.store import KIND


def job_log(folder: Folder, job: str) -> str:
    """Return a job's log, whether it runs or has ended. Raises `AmlocalError` when there is none."""
    if not folder.database.exists():
        raise AmlocalError(f"There is no workspace in {folder.root}.")
    with closing(Database(folder.database)) as database:
        found = Documents(database).get(KIND, job)
        name = (step_of(found) if found else None) or job  # the log of a batch job is that of the one job in it
        local = JobFolder(folder.jobs / name).log
        if "/" not in name and local.exists():
            return local.read_text(encoding="utf-8", errors="replace")
        blobs = BlobStore(folder.chunks, database, system_clock, random_ids)
        blob = blobs.get(ARTIFACT_CONTAINER, artifact_path(name, LOG_NAME))
        if blob is None:
            raise AmlocalError(f"Job {job} has no log in {folder.root}.")
        return b"".join(blobs.read(blob)).decode(errors="replace")
