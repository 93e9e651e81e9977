from collections.abc import AsyncIterator
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.documents import views_of
from amlocal.core.errors import BadRequest
from amlocal.core.http import Call, Reply
from amlocal.core.paging import PAGE_SIZE, InMemoryList, page, view_asked

ORIGIN = "https://127.0.0.1:8443"


async def nothing() -> AsyncIterator[bytes]:
    yield b""


def body_of(reply: Reply) -> dict[str, Any]:
    assert isinstance(reply.body, dict)
    return reply.body


def call(query: dict[str, str], path: str = "/things") -> Call:
    return Call("GET", path, f"{ORIGIN}{path}", {}, query, {}, nothing)


def pages(items: list[int], query: dict[str, str]) -> list[list[int]]:
    """Follow `nextLink` to the end, as a client does."""
    found = []
    while True:
        body = body_of(page(call(query), InMemoryList(items), ORIGIN))
        found.append(body["value"])
        if "nextLink" not in body:
            return found
        query = dict(parse_qsl(urlsplit(body["nextLink"]).query))


@given(st.integers(0, 450), st.integers(1, 150))
def test_following_the_links_yields_every_item_once(count: int, size: int) -> None:
    assert list(chain(*pages(list(range(count)), {"$maxpagesize": str(size)}))) == list(range(count))


@given(st.integers(0, 30), st.integers(0, 40), st.integers(0, 40), st.integers(1, 12))
def test_skip_then_top_as_odata_has_it(count: int, skip: int, top: int, size: int) -> None:
    query = {"$skip": str(skip), "$top": str(top), "$maxpagesize": str(size)}
    assert list(chain(*pages(list(range(count)), query))) == list(range(count))[skip : skip + top]


@given(st.integers(1, 300), st.integers(1, 300))
def test_no_page_is_longer_than_asked_for_or_than_the_service_gives(count: int, size: int) -> None:
    longest = max(len(rows) for rows in pages(list(range(count)), {"$maxpagesize": str(size)}))
    assert longest <= min(size, PAGE_SIZE)


@given(st.dictionaries(st.sampled_from(["api-version", "listViewType", "$orderBy", "tag"]), st.text(min_size=1)))
def test_the_link_repeats_the_query_of_the_caller(query: dict[str, str]) -> None:
    link = body_of(page(call(query), InMemoryList(range(PAGE_SIZE + 1)), ORIGIN))["nextLink"]
    repeated = dict(parse_qsl(urlsplit(link).query, keep_blank_values=True))
    assert repeated.pop("$skipToken")
    assert repeated == query


def test_the_link_is_absolute_and_keeps_the_path() -> None:
    link = body_of(page(call({"$skip": "1"}, "/a%20b"), InMemoryList(range(PAGE_SIZE + 2)), ORIGIN))["nextLink"]
    assert link.startswith(f"{ORIGIN}/a%20b?")


def test_the_last_page_has_no_link() -> None:
    assert page(call({}), InMemoryList(range(PAGE_SIZE)), ORIGIN).body == {"value": list(range(PAGE_SIZE))}


def test_only_the_page_is_written_out() -> None:
    shown: list[int] = []

    def show(item: int) -> int:
        shown.append(item)
        return item

    page(call({"$maxpagesize": "2"}), InMemoryList(range(10)), ORIGIN, show=show)
    assert shown == [0, 1]


@pytest.mark.parametrize("token", ["???", "bm90IGEgbnVtYmVy", "LTU6MQ==", "MQ", "MTA=", "ÿ"])
def test_a_token_that_was_not_given_here_is_refused(token: str) -> None:
    with pytest.raises(BadRequest, match="skipToken"):
        page(call({"$skipToken": token}), InMemoryList(range(5)), ORIGIN)


@pytest.mark.parametrize("key", ["$top", "$skip", "$maxpagesize"])
@pytest.mark.parametrize("text", ["-1", "two", "1.5", "9" * 5000])
def test_a_number_that_is_none_is_refused(key: str, text: str) -> None:
    with pytest.raises(BadRequest, match="whole number"):
        page(call({key: text}), InMemoryList(range(5)), ORIGIN)


@pytest.mark.parametrize(
    ("view", "active", "archived"),
    [(None, True, False), ("ActiveOnly", True, False), ("ArchivedOnly", False, True), ("All", True, True)],
)
def test_a_listing_view_shows(view: str | None, active: bool, archived: bool) -> None:
    asked = view_asked(call({} if view is None else {"listViewType": view}))
    assert (asked in views_of(archived=False), asked in views_of(archived=True)) == (active, archived)
