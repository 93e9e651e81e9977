"""A job's log on the wire: a signed URL, and whole lines only while it grows."""

import asyncio
import hashlib
import hmac
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from amlocal.blobs import BlobStore
from amlocal.blobs.transfer import outgoing
from amlocal.core.context import Context
from amlocal.core.errors import ApiError, NotFound
from amlocal.core.http import Call, Reply, Route
from amlocal.core.paths import Folder
from amlocal.datastores.store import ARTIFACT_CONTAINER
from amlocal.jobs.folder import LOG_NAME, JobFolder
from amlocal.jobs.outputs import artifact_path

_PIECE = 2**18  # bytes; a log may be gigabytes, and is never in memory


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
        """Return the log files of a job by name; none before it was begun."""
        if (
            not self._growing(job).exists()
            and self._blobs.get(ARTIFACT_CONTAINER, artifact_path(job, LOG_NAME)) is None
        ):
            return {}
        return {LOG_NAME: f"{self._context.origin}/logs/{job}/std_log.txt?sig={self._sign(job)}"}

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("GET", "/logs/{job}/std_log.txt", self._show, auth="open")]

    def _growing(self, job: str) -> Path:
        return JobFolder(self._folder.jobs / job).log

    def _sign(self, job: str) -> str:
        return hmac.new(self._key, f"log:{job}".encode(), hashlib.sha256).hexdigest()

    async def _show(self, call: Call) -> Reply:
        job = call.path["job"]
        if not hmac.compare_digest(call.query.get("sig", "").encode(), self._sign(job).encode()):
            raise ApiError(403, "The log's URL is not one that this workspace signed.", code="AuthenticationFailed")
        found = await asyncio.to_thread(self._open, job)
        if found is None:
            raise NotFound(f"Job {job} has no log yet.")
        pieces, size = found
        body = await outgoing(pieces, size)
        return Reply(200, body, {"Content-Length": str(size)}, media_type="text/plain; charset=utf-8")

    def _open(self, job: str) -> tuple[Iterator[bytes], int] | None:
        """Return the log in pieces and its size in bytes, or None.

        The kept log comes first, as it is whole; it is looked for again because it may be kept just when the growing
        one is gone.
        """
        return self._open_kept(job) or self._open_growing(job) or self._open_kept(job)

    def _open_kept(self, job: str) -> tuple[Iterator[bytes], int] | None:
        blob = self._blobs.get(ARTIFACT_CONTAINER, artifact_path(job, LOG_NAME))
        return None if blob is None else (self._blobs.read(blob), blob.size)

    def _open_growing(self, job: str) -> tuple[Iterator[bytes], int] | None:
        try:
            file = self._growing(job).open("rb")
        except FileNotFoundError:
            return None
        # The reader counts lines: the rest of a line that is shown half would be lost to it.
        size = whole_lines(file)
        return _pieces(file, size), size


def whole_lines(file: BinaryIO) -> int:
    """Return how many bytes of a file there are up to its last line's end."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - _PIECE)
        file.seek(start)
        if found := file.read(end - start).rfind(b"\n") + 1:
            return start + found
        end = start
    return 0


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield the first `size` bytes of a file, then close it."""
    with file:
        file.seek(0)
        while size and (piece := file.read(min(size, _PIECE))):
            size -= len(piece)
            yield piece
