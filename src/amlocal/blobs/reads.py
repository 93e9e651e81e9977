"""The operations that read blobs and containers, and make containers."""

import asyncio
import base64
import hashlib

from amlocal.blobs.listing import ListQuery, listing_body, page
from amlocal.blobs.requests import BlobRequest, ByteRange, Conditions, parse_range
from amlocal.blobs.responses import blob_headers, container_headers, outgoing
from amlocal.blobs.store import BlobStore
from amlocal.blobs.values import Blob, ContainerNotFound, StorageError
from amlocal.core.http import Reply

_MAX_RESULTS = 5000  # entries of a page
_HASHED = 4 * 2**20  # the longest range that comes with its MD5


class ReadOperations:
    """The operations that change no blob."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store

    async def show_blob(self, request: BlobRequest, _: frozenset[str]) -> Reply:
        """Answer HEAD: everything but the bytes."""
        blob = self._found(request)
        headers = blob_headers(blob) | _md5_header("Content-MD5", blob)
        return Reply(200, None, {**headers, "Content-Length": str(blob.size)})

    async def get_blob(self, request: BlobRequest, _: frozenset[str]) -> Reply:
        """Stream the blob (200), or the range that is asked for (206)."""
        blob = self._found(request)
        asked = request.headers.get("x-ms-range") or request.headers.get("range") or ""
        byte_range = parse_range(asked, blob.size)
        if byte_range is not None:
            return await self._get_range(request, blob, byte_range)
        headers = blob_headers(blob) | _md5_header("Content-MD5", blob)
        body = await outgoing(self._store.read(blob), blob.size)
        return Reply(200, body, {**headers, "Content-Length": str(blob.size)}, blob.content_type)

    async def _get_range(self, request: BlobRequest, blob: Blob, byte_range: ByteRange) -> Reply:
        length = byte_range.stop - byte_range.start
        headers = {
            **blob_headers(blob),
            **_md5_header("x-ms-blob-content-md5", blob),
            "Content-Length": str(length),
            "Content-Range": byte_range.content_range,
        }
        pieces = self._store.read(blob, byte_range.start, byte_range.stop)
        if request.headers.get("x-ms-range-get-content-md5", "").lower() != "true":
            return Reply(206, await outgoing(pieces, length), headers, blob.content_type)
        if length > _HASHED:
            message = f"A range comes with its MD5 up to {_HASHED} bytes; this one has {length}."
            raise StorageError(400, "OutOfRangeInput", message)
        content = await asyncio.to_thread(b"".join, pieces)
        digest = hashlib.md5(content, usedforsecurity=False).digest()
        headers["Content-MD5"] = base64.b64encode(digest).decode()
        return Reply(206, content, headers, blob.content_type)

    def _found(self, request: BlobRequest) -> Blob:
        blob = self._store.require(request.container, request.blob)
        Conditions.of(request.headers).check_read(blob)
        return blob

    async def create_container(self, request: BlobRequest, _: frozenset[str]) -> Reply:
        """Make the container: 201."""
        if not await asyncio.to_thread(self._store.add_container, request.container):
            message = f"The container {request.container!r} already exists."
            raise StorageError(409, "ContainerAlreadyExists", message)
        return Reply(201, None, self._container_headers(request))

    async def show_container(self, request: BlobRequest, _: frozenset[str]) -> Reply:
        """Answer what is known of the container: 200."""
        return Reply(200, None, self._container_headers(request))

    def _container_headers(self, request: BlobRequest) -> dict[str, str]:
        created = self._store.container_created(request.container)
        if created is None:
            raise ContainerNotFound(request.container)
        return container_headers(created)

    async def list_blobs(self, request: BlobRequest, _: frozenset[str]) -> Reply:
        """Answer a page of the container's names."""
        asked = request.query
        query = ListQuery(asked.get("prefix", ""), asked.get("delimiter", ""), asked.get("marker", ""), _limit(request))
        metadata = "metadata" in asked.get("include", "").split(",")

        def answer() -> bytes:
            found = page(self._store, request.container, query)
            return listing_body(found, query, service=request.service, container=request.container, metadata=metadata)

        return Reply(200, await asyncio.to_thread(answer), media_type="application/xml")


def _md5_header(name: str, blob: Blob) -> dict[str, str]:
    return {name: blob.content_md5} if blob.content_md5 else {}


def _limit(request: BlobRequest) -> int:
    text = request.query.get("maxresults", str(_MAX_RESULTS))
    if not (text.isdecimal() and len(text) < 10 and int(text) > 0):
        raise StorageError(400, "OutOfRangeQueryParameterValue", f"maxresults is 1 to {_MAX_RESULTS}, not {text!r}.")
    return min(int(text), _MAX_RESULTS)
