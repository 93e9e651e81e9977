"""Reads a workspace's folder while no server answers for it."""

from contextlib import closing

from amlocal.blobs import BlobStore
from amlocal.core.clock import random_ids, system_clock
from amlocal.core.database import Database
from amlocal.core.errors import AmlocalError
from amlocal.core.paths import Folder
from amlocal.datastores.store import ARTIFACT_CONTAINER
from amlocal.jobs.folder import LOG_NAME, JobFolder
from amlocal.jobs.outputs import artifact_path


def job_log(folder: Folder, job: str) -> str:
    """Return a job's log, whether it runs or has ended. Raises `AmlocalError` when there is none."""
    if not folder.database.exists():
        raise AmlocalError(f"There is no workspace in {folder.root}.")
    local = JobFolder(folder.jobs / job).log
    if "/" not in job and local.exists():
        return local.read_text(encoding="utf-8", errors="replace")
    with closing(Database(folder.database)) as database:
        blobs = BlobStore(folder.chunks, database, system_clock, random_ids)
        blob = blobs.get(ARTIFACT_CONTAINER, artifact_path(job, LOG_NAME))
        if blob is None:
            raise AmlocalError(f"Job {job} has no log in {folder.root}.")
        return b"".join(blobs.read(blob)).decode(errors="replace")
