"""The operations that change blobs: whole, in blocks, their metadata, their end."""

import asyncio
import base64
import binascii
from collections.abc import Mapping

from amlocal.blobs.blocks import read_block_list
from amlocal.blobs.chunks import ChunkWriter
from amlocal.blobs.requests import BlobRequest, Conditions, collect, receive
from amlocal.blobs.responses import etag_headers
from amlocal.blobs.store import BlobStore
from amlocal.blobs.values import (
    OCTETS,
    Blob,
    BlobNotFound,
    BlobProperties,
    Precondition,
    StorageError,
    permission_missing,
)
from amlocal.core.http import Reply

MAX_BLOB = 5000 * 2**20  # bytes of one Put Blob, from version 2019-12-12 on
MAX_BLOCK = 4000 * 2**20
_MAX_LIST = 16 * 2**20  # the longest list, of 50,000 blocks, stays below
_ENCRYPTED = {"x-ms-request-server-encrypted": "true"}


class WriteOperations:
    """The operations that change blobs. `granted` is what the caller may do, one of the operation's permissions."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store
        self._turn = asyncio.Lock()  # a list of 50,000 blocks keeps a thread busy, and such threads the event loop

    async def put_blob(self, request: BlobRequest, granted: frozenset[str]) -> Reply:
        """Store the body as a blob: 201."""
        _check_kind(request)
        precondition = self._checked_precondition(request, granted)
        length = _length(request, MAX_BLOB)
        with self._store.writer(md5=True) as writer:

            def finish() -> Blob:
                _check_md5(request, writer)
                content_type = request.headers.get("content-type") or OCTETS
                properties = _properties_of(request, content_type=content_type, content_md5=writer.md5)
                return self._store.put(request.container, request.blob, writer, properties, precondition)

            blob = await receive(request.body, length, writer, finish)
            return Reply(201, None, {**etag_headers(blob), "Content-MD5": writer.md5 or "", **_ENCRYPTED})

    async def put_block(self, request: BlobRequest, granted: frozenset[str]) -> Reply:
        """Store the body as an uncommitted block: 201."""
        self._checked_precondition(request, granted)
        block, length = _block_id(request), _length(request, MAX_BLOCK)
        with self._store.writer(md5="content-md5" in request.headers) as writer:

            def finish() -> None:
                _check_md5(request, writer)
                self._store.put_block(request.container, request.blob, block, writer)

            await receive(request.body, length, writer, finish)
            return Reply(201, None, {**_ENCRYPTED, **({"Content-MD5": writer.md5} if writer.md5 else {})})

    async def put_block_list(self, request: BlobRequest, granted: frozenset[str]) -> Reply:
        """Make the blob of the blocks that the body lists: 201."""
        precondition = self._checked_precondition(request, granted)
        content = await collect(request.body, _MAX_LIST)
        properties = _properties_of(request, content_type=OCTETS, content_md5=None)

        def commit() -> Mapping[str, str]:
            entries = read_block_list(content)
            return etag_headers(
                self._store.commit_blocks(request.container, request.blob, entries, properties, precondition)
            )

        async with self._turn:
            return Reply(201, None, {**await asyncio.to_thread(commit), **_ENCRYPTED})

    async def set_metadata(self, request: BlobRequest, _: frozenset[str]) -> Reply:
        """Replace the metadata by that of the headers: 200."""
        precondition = Conditions.of(request.headers).check_write
        blob = await asyncio.to_thread(
            self._store.set_metadata, request.container, request.blob, request.metadata, precondition
        )
        return Reply(200, None, {**etag_headers(blob), **_ENCRYPTED})

    async def delete(self, request: BlobRequest, _: frozenset[str]) -> Reply:
        """Remove the blob: 202."""
        precondition = Conditions.of(request.headers).check_write
        if not await asyncio.to_thread(self._store.delete, request.container, request.blob, precondition):
            raise BlobNotFound(request.container, request.blob)
        return Reply(202, None, {"x-ms-delete-type-permanent": "true"})

    def _checked_precondition(self, request: BlobRequest, granted: frozenset[str]) -> Precondition:
        """Return what the write asks of the blob it replaces, having asked it once before the body is read."""
        conditions = Conditions.of(request.headers)

        def precondition(known: Blob | None) -> None:
            if known is not None and "w" not in granted:
                raise permission_missing("w", granted)
            conditions.check_write(known)

        self._store.require_container(request.container)
        precondition(self._store.get(request.container, request.blob))
        return precondition


def _check_kind(request: BlobRequest) -> None:
    kind = request.headers.get("x-ms-blob-type")
    if kind is None:
        raise StorageError(400, "MissingRequiredHeader", "Put Blob needs the header x-ms-blob-type.")
    if kind != "BlockBlob" or "x-ms-copy-source" in request.headers:
        message = f"amlocal serves block blobs sent in the request, no copies; this asks for a {kind}."
        raise StorageError(501, "NotImplemented", message)


def _check_md5(request: BlobRequest, writer: ChunkWriter) -> None:
    stated = request.headers.get("content-md5")
    if stated and stated != writer.md5:
        message = f"Content-MD5 says {stated}, the body has {writer.md5}: nothing was kept."
        raise StorageError(400, "Md5Mismatch", message)


def _properties_of(request: BlobRequest, *, content_type: str, content_md5: str | None) -> BlobProperties:
    """Read what the headers say about the blob; the arguments hold where they are silent."""
    return BlobProperties(
        content_type=request.headers.get("x-ms-blob-content-type") or content_type,
        content_md5=request.headers.get("x-ms-blob-content-md5") or content_md5,
        metadata=request.metadata,
    )


def _length(request: BlobRequest, limit: int) -> int:
    stated = request.headers.get("content-length", "")
    if not stated.isdecimal():
        raise StorageError(411, "MissingContentLengthHeader", "The request needs a Content-Length header.")
    if int(stated) > limit:
        raise StorageError(413, "RequestBodyTooLarge", f"This request's body may have {limit} bytes at most.")
    return int(stated)


def _block_id(request: BlobRequest) -> str:
    block = request.query.get("blockid", "")
    try:
        if 1 <= len(base64.b64decode(block, validate=True)) <= 64:
            return block
    except binascii.Error:
        pass
    message = f"blockid {block!r} is not the base64 text of 1 to 64 bytes."
    raise StorageError(400, "InvalidQueryParameterValue", message)
