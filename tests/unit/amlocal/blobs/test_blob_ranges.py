import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.blobs import StorageError
from amlocal.blobs.ranges import parse_range


@given(size=st.integers(1, 50), start=st.integers(0, 60), last=st.integers(0, 60))
def test_a_range_is_the_slice_up_to_its_last_byte(size: int, start: int, last: int) -> None:
    content = bytes(range(size))
    try:
        span = parse_range(f"bytes={start}-{last}", size)
    except StorageError:
        assert start >= size
    else:
        assert (span is None) == (last < start)
        assert span is None or content[span.start : span.stop] == content[start : last + 1]


@given(size=st.integers(1, 50), start=st.integers(0, 49))
def test_an_open_range_goes_to_the_end(size: int, start: int) -> None:
    if start < size:
        span = parse_range(f"bytes={start}-", size)
        assert span is not None
        assert span.content_range == f"bytes {start}-{size - 1}/{size}"


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-0", "bytes=5-9"])
def test_an_empty_blob_has_no_range(header: str) -> None:
    with pytest.raises(StorageError) as caught:
        parse_range(header, 0)
    assert (caught.value.status, caught.value.headers) == (416, {"Content-Range": "bytes */0"})


@pytest.mark.parametrize("header", ["", "bytes=-5", "bytes=1-2,4-5", "items=0-1", "bytes=a-b", "bytes=5-2"])
def test_what_is_no_range_asks_for_the_whole(header: str) -> None:
    assert parse_range(header, 3) is None
