"""What Azure Storage says about blobs and containers: headers, bodies, errors as XML."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape

from amlocal.blobs.values import Blob

XML_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'


def etag_headers(blob: Blob) -> dict[str, str]:
    """Return what every write answers."""
    return {"ETag": f'"{blob.etag}"', "Last-Modified": http_date(blob.modified)}


def blob_headers(blob: Blob) -> dict[str, str]:
    """Return what is said of a blob besides the length and hash of what is sent."""
    metadata = {f"x-ms-meta-{name}": value for name, value in blob.metadata.items()}
    return {
        **etag_headers(blob),
        "Content-Type": blob.content_type,
        "Accept-Ranges": "bytes",
        "x-ms-creation-time": http_date(blob.created),
        "x-ms-blob-type": "BlockBlob",
        "x-ms-lease-state": "available",
        "x-ms-lease-status": "unlocked",
        "x-ms-server-encrypted": "true",
        "x-ms-access-tier": "Hot",
        "x-ms-access-tier-inferred": "true",
        **metadata,
    }


def container_headers(created: datetime) -> dict[str, str]:
    """Return what is said of a container; nothing about it changes after it was made."""
    return {
        "ETag": f'"0x{int(created.timestamp() * 1e6):X}"',
        "Last-Modified": http_date(created),
        "x-ms-lease-state": "available",
        "x-ms-lease-status": "unlocked",
        "x-ms-has-immutability-policy": "false",
        "x-ms-has-legal-hold": "false",
    }


def http_date(moment: datetime) -> str:
    """Return the moment as HTTP writes it, in whole seconds."""
    return format_datetime(moment, usegmt=True)


async def outgoing(pieces: Iterator[bytes], length: int) -> bytes | AsyncIterator[bytes]:
    """Return a body of `length` bytes: as it is when it is one piece, else as a stream whose pieces threads read.

    The first piece is read before anything is answered, so that a damaged store is an error and not a broken line.
    """
    first = await asyncio.to_thread(next, pieces, b"")
    return first if len(first) == length else _stream(first, pieces)


async def _stream(first: bytes, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


def error_body(code: str, message: str, *, request: str, now: str) -> bytes:
    """Return the body of a refusal; Azure appends the request's id and the time to the message."""
    text = f"{message}\nRequestId:{request}\nTime:{now}"
    return f"{XML_DECLARATION}<Error>{element('Code', code)}{element('Message', text)}</Error>".encode()


def element(tag: str, text: str) -> str:
    """Return an XML element that holds `text`."""
    return f"<{tag}>{escape(text)}</{tag}>"
