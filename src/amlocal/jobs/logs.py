"""A job's log on the wire: a signed URL, and whole lines only while it grows."""

import hashlib
import hmac

from amlocal.blobs import BlobStore
from amlocal.core.context import Context
from amlocal.core.errors import ApiError, NotFound
from amlocal.core.http import Call, Reply, Route
from amlocal.core.paths import Folder
from amlocal.datastores.store import ARTIFACT_CONTAINER
from amlocal.jobs.folder import LOG_NAME, JobFolder
from amlocal.jobs.outputs import artifact_path


class JobLogs:
    """Serves logs: from the job's folder while it runs, from blob storage afterwards.

    The SDK fetches logs without a token, so the URL carries a signature of the job's name.
    """

    def __init__(self, context: Context, folder: Folder, blobs: BlobStore, key: str) -> None:
        self._context = context
        self._folder = folder
        self._blobs = blobs
        self._key = key.encode()

    def urls(self, job: str) -> dict[str, str]:
        """Return the log files of a job by name; none before it prints."""
        if self._read(job) is None:
            return {}
        return {LOG_NAME: f"{self._context.origin}/logs/{job}/std_log.txt?sig={self._sign(job)}"}

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("GET", "/logs/{job}/std_log.txt", self._show, auth="open")]

    def _sign(self, job: str) -> str:
        return hmac.new(self._key, f"log:{job}".encode(), hashlib.sha256).hexdigest()

    def _show(self, call: Call) -> Reply:
        job = call.path["job"]
        if not hmac.compare_digest(call.query.get("sig", "").encode(), self._sign(job).encode()):
            raise ApiError(403, "The log's URL is not one that this workspace signed.", code="AuthenticationFailed")
        text = self._read(job)
        if text is None:
            raise NotFound(f"Job {job} has no log yet.")
        return Reply(200, text, media_type="text/plain; charset=utf-8")

    def _read(self, job: str) -> bytes | None:
        local = JobFolder(self._folder.jobs / job).log
        if "/" not in job and local.exists():
            text = local.read_bytes()
            # The reader counts lines: the rest of a line that is shown half would be lost to it.
            return text[: text.rfind(b"\n") + 1]
        blob = self._blobs.get(ARTIFACT_CONTAINER, artifact_path(job, LOG_NAME))
        return None if blob is None else b"".join(self._blobs.read(blob))
