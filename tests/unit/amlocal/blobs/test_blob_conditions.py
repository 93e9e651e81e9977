from datetime import timedelta
from email.utils import format_datetime

import pytest

from amlocal.blobs import Blob, BlobStore, StorageError
from amlocal.blobs.conditions import Conditions
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
