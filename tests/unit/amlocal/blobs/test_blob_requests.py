"""What a storage request asks: conditions, byte ranges, and a body of the length that it states."""

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.blobs import Blob, BlobStore, StorageError
from amlocal.blobs.chunks import ChunkWriter
from amlocal.blobs.requests import Conditions, collect, parse_range, receive
from amlocal.blobs.responses import outgoing
from tests.unit.amlocal.blobs.wire import START

NOW, BEFORE = (format_datetime(moment, usegmt=True) for moment in (START, START - timedelta(minutes=1)))


@pytest.fixture
def blob(store: BlobStore) -> Blob:
    return store.put_bytes("box", "a", b"")


def read(blob: Blob, name: str, value: str) -> int:
    return _status(lambda: Conditions.of({name: value}).check_read(blob))


def write(blob: Blob | None, name: str, value: str) -> int:
    return _status(lambda: Conditions.of({name: value}).check_write(blob))


def _status(check: object) -> int:
    assert callable(check)
    try:
        check()
    except StorageError as error:
        return error.status
    return 200


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("if-match", '"{etag}"', 200),
        ("if-match", "{etag}", 200),
        ("if-match", "*", 200),
        ("if-match", '"other"', 412),
        ("if-none-match", '"{etag}"', 304),
        ("if-none-match", '"other", "{etag}"', 304),
        ("if-none-match", '"other"', 200),
        ("if-modified-since", NOW, 304),
        ("if-modified-since", BEFORE, 200),
        ("if-unmodified-since", NOW, 200),
        ("if-unmodified-since", BEFORE, 412),
        ("x-other", "x", 200),
    ],
)
def test_reading_under_a_condition(blob: Blob, name: str, value: str, status: int) -> None:
    assert read(blob, name, value.format(etag=blob.etag)) == status


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("if-none-match", "*", 409),
        ("if-none-match", '"{etag}"', 412),
        ("if-none-match", '"other"', 200),
        ("if-match", '"{etag}"', 200),
        ("if-match", '"other"', 412),
        ("if-modified-since", NOW, 412),
        ("if-unmodified-since", BEFORE, 412),
    ],
)
def test_replacing_under_a_condition(blob: Blob, name: str, value: str, status: int) -> None:
    assert write(blob, name, value.format(etag=blob.etag)) == status


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [("if-none-match", "*", 200), ("if-match", "*", 412), ("if-match", '"x"', 412), ("if-modified-since", NOW, 200)],
)
def test_creating_under_a_condition(name: str, value: str, status: int) -> None:
    assert write(None, name, value) == status


def test_a_date_that_is_none_is_refused() -> None:
    with pytest.raises(StorageError, match="not an HTTP date"):
        Conditions.of({"if-modified-since": "yesterday"})


@given(size=st.integers(1, 50), start=st.integers(0, 60), last=st.integers(0, 60))
def test_a_range_is_the_slice_up_to_its_last_byte(size: int, start: int, last: int) -> None:
    content = bytes(range(size))
    try:
        byte_range = parse_range(f"bytes={start}-{last}", size)
    except StorageError:
        assert start >= size
    else:
        assert (byte_range is None) == (last < start)
        assert byte_range is None or content[byte_range.start : byte_range.stop] == content[start : last + 1]


@given(size=st.integers(1, 50), start=st.integers(0, 49))
def test_an_open_range_goes_to_the_end(size: int, start: int) -> None:
    if start < size:
        byte_range = parse_range(f"bytes={start}-", size)
        assert byte_range is not None
        assert byte_range.content_range == f"bytes {start}-{size - 1}/{size}"


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-0", "bytes=5-9"])
def test_an_empty_blob_has_no_range(header: str) -> None:
    with pytest.raises(StorageError) as caught:
        parse_range(header, 0)
    assert (caught.value.status, caught.value.headers) == (416, {"Content-Range": "bytes */0"})


@pytest.mark.parametrize("header", ["", "bytes=-5", "bytes=1-2,4-5", "items=0-1", "bytes=a-b", "bytes=5-2"])
def test_what_is_no_range_asks_for_the_whole(header: str) -> None:
    assert parse_range(header, 3) is None


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
