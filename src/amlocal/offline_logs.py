"""Reads a workspace's folder while no server answers for it."""

from contextlib import closing

from amlocal.blobs import BlobStore
from amlocal.core.context import random_ids, system_clock
from amlocal.core.database import Database
from amlocal.core.documents import Documents
from amlocal.core.errors import AmlocalError
from amlocal.core.paths import WorkspaceFolder
from amlocal.datastores.store import ARTIFACT_CONTAINER
from amlocal.jobs.folder import LOG_FOLDER, JobFolder
from amlocal.jobs.outputs import artifact_path
from amlocal.jobs.store import KIND, step_of


def job_log(folder: WorkspaceFolder, job: str) -> str:
    """Return a job's log, or those of its processes, whether it runs or has ended. Raises `AmlocalError` for none."""
    if not folder.database.exists():
        raise AmlocalError(f"There is no workspace in {folder.root}.")
    with closing(Database(folder.database)) as database:
        found = Documents(database).get(KIND, job)
        name = (step_of(found) if found else None) or job  # the log of a batch job is that of the one job in it
        blobs = BlobStore(folder.chunks, database, system_clock, random_ids)
        logs = _logs(JobFolder(folder.jobs / name), blobs, name) if "/" not in name else {}
    if not logs:
        raise AmlocalError(f"Job {job} has no log in {folder.root}.")
    titles = {log: f"==> {log} <==\n" if len(logs) > 1 else "" for log in logs}
    return "\n".join(f"{titles[log]}{text}" for log, text in logs.items())


def _logs(local: JobFolder, blobs: BlobStore, job: str) -> dict[str, str]:
    """Return the logs of a job by name, the growing ones while there are any: several of a distributed job."""
    growing = [log for log in sorted(local.logs.glob("*.txt")) if log.is_file() and not log.is_symlink()]
    if growing:
        return {log.name: log.read_text(encoding="utf-8", errors="replace") for log in growing}
    root = artifact_path(job, LOG_FOLDER) + "/"
    kept = sorted(blobs.list(ARTIFACT_CONTAINER, root), key=lambda blob: blob.name)
    return {blob.name.removeprefix(root): b"".join(blobs.read(blob)).decode(errors="replace") for blob in kept}
