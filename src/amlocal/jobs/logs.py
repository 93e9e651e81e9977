"""A job's log on the wire: a signed URL, and whole lines only while it grows."""

import asyncio
import codecs
import errno
import hashlib
import hmac
import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime, timedelta
from typing import BinaryIO
from urllib.parse import quote

from amlocal.blobs import BlobStore
from amlocal.core.context import Context
from amlocal.core.errors import ApiError, NotFound
from amlocal.core.http import Call, Reply, Route
from amlocal.core.paths import WorkspaceFolder
from amlocal.datastores.store import ARTIFACT_CONTAINER
from amlocal.jobs.folder import LOG_FOLDER, JobFolder
from amlocal.jobs.outputs import artifact_path

_FILE = re.compile(r"std_log[A-Za-z0-9_]{0,64}\.txt")
_LIFETIME = timedelta(hours=1)  # a URL is fetched at once: the SDK takes a new one with each look at the job
_PIECE = 2**18  # bytes; a log may be gigabytes, and is never in memory


class JobLogs:
    """Serves logs: from the job's folder while it runs, from blob storage afterwards.

    The SDK fetches logs without a token, so the URL carries a signature, as Azure's does: of this one file, until `se`.
    It asks for URLs anew at each look at the job.
    """

    def __init__(self, context: Context, folder: WorkspaceFolder, blobs: BlobStore, key: str) -> None:
        self._context = context
        self._folder = folder
        self._blobs = blobs
        self._key = key.encode()

    def urls(self, job: str) -> dict[str, str]:
        """Return the log files of a job by name; none before it was begun."""
        root = artifact_path(job, LOG_FOLDER) + "/"
        kept = {blob.name.removeprefix(root) for blob in self._blobs.list(ARTIFACT_CONTAINER, root)}
        growing = {path.name for path in JobFolder(self._folder.jobs / job).logs.glob("*.txt")}
        expires = f"{self._context.clock() + _LIFETIME:%Y-%m-%dT%H:%M:%SZ}"
        return {
            f"{LOG_FOLDER}/{file}": f"{self._context.origin}/logs/{job}/{file}?{self._signed(job, file, expires)}"
            for file in sorted(kept | growing)
            if _FILE.fullmatch(file)
        }

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("GET", "/logs/{job}/{file}", self._show, auth="open", streaming=True)]

    def _signed(self, job: str, file: str, expires: str) -> str:
        return f"se={quote(expires, safe='')}&sp=r&sig={self._sign(job, file, expires)}"

    def _sign(self, job: str, file: str, expires: str) -> str:
        return hmac.new(self._key, f"log:{job}:{file}:{expires}".encode(), hashlib.sha256).hexdigest()

    def _check(self, job: str, file: str, query: Mapping[str, str]) -> None:
        """Raise `ApiError` 403, as Azure Storage does, unless the query's signature lets its bearer read."""
        expires = query.get("se", "")
        if not hmac.compare_digest(query.get("sig", "").encode(), self._sign(job, file, expires).encode()):
            raise _refused("The log's URL is not one that this workspace signed.")
        if self._context.clock() >= datetime.fromisoformat(expires):
            raise _refused(f"Signature not valid in the specified time frame: it expired at {expires}.")

    async def _show(self, call: Call) -> Reply:
        job, file = call.path["job"], call.path["file"]
        self._check(job, file, call.query)
        call.mark_authenticated()
        pieces = await asyncio.to_thread(self._open, job, file) if _FILE.fullmatch(file) else None
        if pieces is None:
            raise NotFound(f"Job {job} has no log {file} yet.")
        return Reply(200, _stream(as_text(pieces)), media_type="text/plain; charset=utf-8")

    def _open(self, job: str, name: str) -> Iterator[bytes] | None:
        """Return the log in pieces, or None.

        The kept log comes first, as it is whole; it is looked for again because it may be kept just when the growing
        one is gone.
        """
        return self._open_kept(job, name) or self._open_growing(job, name) or self._open_kept(job, name)

    def _open_kept(self, job: str, name: str) -> Iterator[bytes] | None:
        blob = self._blobs.get(ARTIFACT_CONTAINER, artifact_path(job, f"{LOG_FOLDER}/{name}"))
        return None if blob is None else self._blobs.read(blob)

    def _open_growing(self, job: str, name: str) -> Iterator[bytes] | None:
        path = JobFolder(self._folder.jobs / job).logs / name
        if path.resolve() != (self._folder.jobs.resolve() / job / LOG_FOLDER / name):  # a job's link to another's file
            return None
        try:
            file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb")
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ELOOP):
                raise
            return None
        # The reader counts lines: the rest of a line that is shown half would be lost to it.
        return _pieces(file, whole_lines(file))


def _refused(reason: str) -> ApiError:
    message = f"Server failed to authenticate the request. {reason} Ask for the job's logs again."
    return ApiError(403, message, code="AuthenticationFailed")


async def _stream(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


def as_text(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the same as valid UTF-8, what is none of it replaced: the SDK's stream breaks on other bytes."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for piece in pieces:
        yield decoder.decode(piece).encode()
    yield decoder.decode(b"", final=True).encode()


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
