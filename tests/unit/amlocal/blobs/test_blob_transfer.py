import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.blobs import BlobStore, StorageError
from amlocal.blobs.chunk_writer import ChunkWriter
from amlocal.blobs.transfer import collect, outgoing, receive

MANY = [bytes([number]) * 400_000 for number in range(8)]  # several batches


async def stream(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def incoming(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "blobs" / "incoming").iterdir())


@given(st.lists(st.binary(max_size=10)) | st.just(MANY))
def test_a_body_arrives_whole_and_in_order(shared: BlobStore, pieces: list[bytes]) -> None:
    async def put() -> None:
        with shared.writer() as writer:
            await receive(stream(*pieces), sum(map(len, pieces)), writer, lambda: keep(writer))

    def keep(writer: ChunkWriter) -> None:
        shared.put_block("box", "a", "1", writer)
        received.append((writer.size, writer.sha256))

    received: list[tuple[int, str]] = []
    asyncio.run(put())
    with shared.writer() as expected:
        expected.write(pieces)
        assert received == [(expected.size, expected.sha256)]


@pytest.mark.parametrize("stated", [2, 4])
def test_a_body_of_another_length_is_refused_before_it_is_kept(store: BlobStore, tmp_path: Path, stated: int) -> None:
    async def put() -> None:
        with store.writer() as writer:
            await receive(stream(b"abc"), stated, writer, lambda: pytest.fail("it was kept"))

    with pytest.raises(StorageError, match="has 3 bytes, Content-Length says"):
        asyncio.run(put())
    assert incoming(tmp_path) == []


def test_a_client_that_goes_away_leaves_nothing(store: BlobStore, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        for piece in MANY:
            yield piece
        raise ConnectionError

    async def put() -> None:
        with store.writer() as writer:
            await receive(broken(), 10**9, writer, lambda: pytest.fail("it was kept"))

    with pytest.raises(ConnectionError):
        asyncio.run(put())
    assert incoming(tmp_path) == []


def test_who_cancels_waits_for_the_thread_that_writes(store: BlobStore, tmp_path: Path) -> None:
    started, go_on = threading.Event(), threading.Event()
    write = ChunkWriter.write

    def slow(writer: ChunkWriter, pieces: list[bytes]) -> None:
        started.set()
        go_on.wait(10)
        write(writer, pieces)

    async def put() -> None:
        with store.writer() as writer:
            await receive(stream(b"abc"), 3, writer, lambda: writer.size)

    async def cancel() -> bool:
        task = asyncio.create_task(put())
        await asyncio.to_thread(started.wait, 10)
        task.cancel()
        await asyncio.sleep(0)
        waited = not task.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        return waited

    with patch.object(ChunkWriter, "write", slow):
        assert asyncio.run(cancel())
    assert incoming(tmp_path) == []


def test_the_loop_stays_free_while_a_thread_writes(store: BlobStore) -> None:
    looped = threading.Event()

    def wait(_: ChunkWriter, pieces: list[bytes]) -> None:
        assert looped.wait(10), "the event loop was held"

    async def put() -> None:
        with store.writer() as writer:
            await receive(stream(b"abc"), 3, writer, lambda: None)

    async def both() -> None:
        task = asyncio.create_task(put())
        asyncio.get_running_loop().call_later(0.01, looped.set)
        await task

    with patch.object(ChunkWriter, "write", wait):
        asyncio.run(both())


def test_a_body_that_is_collected_has_a_limit() -> None:
    assert asyncio.run(collect(stream(b"ab", b"c"), 3)) == b"abc"
    with pytest.raises(StorageError) as caught:
        asyncio.run(collect(stream(b"ab", b"cd"), 3))
    assert (caught.value.status, caught.value.code) == (413, "RequestBodyTooLarge")


@given(st.lists(st.binary(min_size=1, max_size=5)))
def test_what_goes_out_is_what_was_read(pieces: list[bytes]) -> None:
    async def read() -> bytes:
        body = await outgoing(iter(pieces), sum(map(len, pieces)))
        return body if isinstance(body, bytes) else b"".join([piece async for piece in body])

    assert asyncio.run(read()) == b"".join(pieces)
