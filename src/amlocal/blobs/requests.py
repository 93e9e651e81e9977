"""A storage request taken apart: target, conditions, byte range, body.

Conditions: learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes, urlsplit

from amlocal.blobs.chunks import ChunkWriter
from amlocal.blobs.values import Blob, StorageError
from amlocal.core.http import Call

_RANGE = re.compile(r"bytes=(\d{1,19})-(\d{0,19})")
_BATCH = 2**20  # bytes handed to a thread at once: one batch is written while the next comes in
_META = "x-ms-meta-"
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class BlobRequest:
    """Names and values are read from the raw target, percent-decoded once, with `+` as it is: so they were signed."""

    method: str
    raw_path: str
    origin: str  # scheme, host and port
    container: str  # "" for the account itself
    blob: str  # "" for the container itself
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: AsyncIterator[bytes]  # one iterator: what is left of it can be thrown away after a refusal

    @property
    def service(self) -> str:
        """The URL of the account, as the request spelled it."""
        return f"{self.origin}/{self.raw_path.split('/')[1]}"

    @property
    def operation(self) -> tuple[str, str, str]:
        """What tells one operation from another: method, `restype`, `comp`."""
        return self.method, self.query.get("restype", ""), self.query.get("comp", "")

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata that the headers carry."""
        return {key.removeprefix(_META): value for key, value in self.headers.items() if key.startswith(_META)}


def parse_request(call: Call, body: AsyncIterator[bytes]) -> BlobRequest:
    """Take a call apart. Raises `StorageError` when its target is not UTF-8, percent-encoded."""
    raw_path, _, query = call.target.partition("?")
    _, _, container, blob = (*raw_path.split("/", 3), "", "")[:4]
    address = urlsplit(call.url)
    return BlobRequest(
        method=call.method,
        raw_path=raw_path,
        origin=f"{address.scheme}://{address.netloc}",
        container=_decoded(container),
        blob=_decoded(blob),
        query=_parsed(query),
        headers=call.headers,
        body=body,
    )


def _parsed(query: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return {_decoded(key): _decoded(value) for key, _, value in pairs}


def _decoded(text: str) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as error:
        raise StorageError(400, "InvalidUri", f"{text!r} is not percent-encoded UTF-8.") from error


@dataclass(frozen=True, slots=True)
class Conditions:
    """What must hold of the blob for a request to be carried out."""

    match: str | None
    none_match: str | None
    modified_since: datetime | None
    unmodified_since: datetime | None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Conditions":
        """Read the conditions of a request. Raises `StorageError` for a date that is none."""
        return cls(
            headers.get("if-match"),
            headers.get("if-none-match"),
            _date_header(headers, "if-modified-since"),
            _date_header(headers, "if-unmodified-since"),
        )

    def check_read(self, blob: Blob) -> None:
        """Raise `StorageError` 304 for what the client has already, 412 for what is no longer what it had."""
        if self._changed(blob):
            raise _condition_failed(412)
        if self._unchanged(blob):
            raise _condition_failed(304)

    def check_write(self, blob: Blob | None) -> None:
        """Raise `StorageError` 409 when the blob was to be new and is there, 412 when another condition fails."""
        if self.none_match == "*" and blob is not None:
            raise StorageError(409, "BlobAlreadyExists", f"The blob {blob.name!r} already exists.")
        if self._changed(blob) or self._unchanged(blob):
            raise _condition_failed(412)

    def _changed(self, blob: Blob | None) -> bool:
        if blob is None:
            return self.match is not None
        moved = self.unmodified_since is not None and blob.modified.replace(microsecond=0) > self.unmodified_since
        return moved or (self.match is not None and not _names_blob(self.match, blob))

    def _unchanged(self, blob: Blob | None) -> bool:
        if blob is None:
            return False
        still = self.modified_since is not None and blob.modified.replace(microsecond=0) <= self.modified_since
        return still or (self.none_match is not None and _names_blob(self.none_match, blob))


def _names_blob(tags: str, blob: Blob) -> bool:
    return tags == "*" or blob.etag in (tag.strip().strip('"') for tag in tags.split(","))


def _condition_failed(status: int) -> StorageError:
    return StorageError(status, "ConditionNotMet", "The condition that the request's headers state does not hold.")


def _date_header(headers: Mapping[str, str], name: str) -> datetime | None:
    if name not in headers:
        return None
    try:
        return parsedate_to_datetime(headers[name]).replace(tzinfo=UTC)  # HTTP dates are all in GMT
    except ValueError as error:
        raise StorageError(400, "InvalidHeaderValue", f"{name}: {headers[name]!r} is not an HTTP date.") from error


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes from `start` up to `stop`, which is not among them, of `size`."""

    start: int
    stop: int
    size: int

    @property
    def content_range(self) -> str:
        """The header that says which bytes of how many these are."""
        return f"bytes {self.start}-{self.stop - 1}/{self.size}"


def parse_range(header: str, size: int) -> ByteRange | None:
    """Return the part of a blob of `size` bytes that is asked for, None when the header says no such thing.

    Raises `StorageError` 416 for a range that begins behind the end; an empty blob has no range at all.
    """
    found = _RANGE.fullmatch(header.strip())
    if not found:
        return None
    start, last = int(found[1]), int(found[2]) if found[2] else size - 1
    if found[2] and last < start:
        return None
    if start >= size:
        message = f"The range {header} begins behind the end of the blob, which has {size} bytes."
        raise StorageError(416, "InvalidRange", message, headers={"Content-Range": f"bytes */{size}"})
    return ByteRange(start, min(last + 1, size), size)


async def receive(body: AsyncIterator[bytes], length: int, writer: ChunkWriter, finish: Callable[[], Result]) -> Result:
    """Feed a body of `length` bytes to the writer, then return what `finish` does, both in threads.

    Raises `StorageError` for a body of another length. However this ends, no thread still writes afterwards.
    """
    pending: asyncio.Task[Any] | None = None
    batch: list[bytes] = []
    size = total = 0

    def last() -> Result:
        writer.write(batch)
        return finish()

    try:
        async for piece in body:
            batch.append(piece)
            size += len(piece)
            if size >= _BATCH:
                if pending:
                    await asyncio.shield(pending)
                pending = asyncio.create_task(asyncio.to_thread(writer.write, batch))
                batch, size, total = [], 0, total + size
        _check_length(total + size, length)
        if pending:
            await asyncio.shield(pending)
        pending = finishing = asyncio.create_task(asyncio.to_thread(last))
        return await asyncio.shield(finishing)
    finally:
        if pending:  # a thread cannot be stopped: whoever cancels waits for it
            await asyncio.gather(pending, return_exceptions=True)


def _check_length(received: int, stated: int) -> None:
    if received != stated:
        message = f"The body has {received} bytes, Content-Length says {stated}: nothing was kept."
        raise StorageError(400, "InvalidHeaderValue", message)


async def collect(body: AsyncIterator[bytes], limit: int) -> bytes:
    """Return the whole body. Raises `StorageError` 413 past `limit` bytes."""
    parts, size = [], 0
    async for piece in body:
        size += len(piece)
        if size > limit:
            raise StorageError(413, "RequestBodyTooLarge", f"This request's body may have {limit} bytes at most.")
        parts.append(piece)
    return b"".join(parts)
