from collections.abc import Iterator
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.blobs import BlobStore, ContainerNotFound, StorageError, listing
from amlocal.blobs.listing import ListPage, ListQuery, page

LETTERS = st.sampled_from("ab/-\0\x7fü\ue000\U0001f600\U0010ffff")
NAMES = st.text(LETTERS, min_size=1, max_size=6)


def fill(store: BlobStore, names: set[str]) -> None:
    store.delete_tree("box", "")
    for name in names:
        store.put_bytes("box", name, b"")


def pages(store: BlobStore, query: ListQuery) -> Iterator[ListPage]:
    while True:
        current = page(store, "box", query)
        yield current
        if not current.marker:
            return
        query = ListQuery(query.prefix, query.delimiter, current.marker, query.limit)


def expected(names: set[str], prefix: str, delimiter: str) -> list[str]:
    found = set()
    for name in names:
        if name.startswith(prefix):
            head, cut, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name[len(prefix) :], "", "")
            found.add(prefix + head + cut)
    return sorted(found, key=str.encode)


@given(
    names=st.sets(NAMES, max_size=12),
    prefix=st.text(LETTERS, max_size=2),
    delimiter=st.sampled_from(["", "/", "-", "b/"]),
    limit=st.integers(1, 4),
)
def test_the_pages_of_a_listing_hold_what_a_naive_listing_holds(
    shared: BlobStore, names: set[str], prefix: str, delimiter: str, limit: int
) -> None:
    fill(shared, names)
    with patch.object(listing, "_ROWS_AT_ONCE", 3):
        found = list(pages(shared, ListQuery(prefix, delimiter, limit=limit)))
    entries = [name for one in found for name in sorted([*one.folders, *(blob.name for blob in one.blobs)])]
    assert sorted(entries, key=str.encode) == expected(names, prefix, delimiter)
    assert all(len(one.blobs) + len(one.folders) == limit for one in found[:-1])


def test_no_page_is_longer_than_the_service_gives_and_the_rest_follows(shared: BlobStore) -> None:
    fill(shared, set("abcde"))
    with patch.object(listing, "_PAGE_SIZE", 2):
        found = [[blob.name for blob in one.blobs] for one in pages(shared, ListQuery(limit=5000))]
    assert found == [["a", "b"], ["c", "d"], ["e"]]


@pytest.mark.parametrize("in_each", [1, 3, 50])
def test_folders_are_read_many_at_a_time_and_their_content_is_not(shared: BlobStore, in_each: int) -> None:
    fill(shared, {f"{folder:02}/{name:02}" for folder in range(20) for name in range(in_each)})
    with patch.object(listing, "_ROWS_AT_ONCE", 20), patch.object(shared, "scan", wraps=shared.scan) as scan:
        assert len(page(shared, "box", ListQuery(delimiter="/")).folders) == 20
    assert scan.call_count <= min(20 * in_each // 20, 20) + 1


@given(names=st.sets(NAMES, max_size=12), after=NAMES, limit=st.none() | st.integers(0, 3))
def test_a_list_goes_on_after_a_name(shared: BlobStore, names: set[str], after: str, limit: int | None) -> None:
    fill(shared, names)
    listed = [blob.name for blob in shared.list("box", after=after, limit=limit)]
    rest = sorted((name for name in names if name.encode() > after.encode()), key=str.encode)
    assert listed == rest[:limit]


def test_the_list_of_no_container_is_an_error(store: BlobStore) -> None:
    with pytest.raises(ContainerNotFound):
        page(store, "nowhere", ListQuery())


@pytest.mark.parametrize("marker", ["x", "ü"])
def test_a_marker_of_nobody_is_refused(store: BlobStore, marker: str) -> None:
    with pytest.raises(StorageError, match="marker"):
        page(store, "box", ListQuery(marker=marker))
