"""Bodies in and out without holding the event loop: disks and hashes work in threads."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeVar

from amlocal.blobs.chunk_writer import ChunkWriter
from amlocal.blobs.errors import StorageError

Result = TypeVar("Result")

_BATCH = 2**20  # bytes handed to a thread at once: one batch is written while the next comes in


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
