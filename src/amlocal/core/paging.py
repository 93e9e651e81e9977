"""Lists in pages: Azure's `nextLink` with a skip token, and the listing views.

A token holds the place at which its page ended, not how many items came before: a page costs the same however far back
it is, and what is created or deleted between two pages makes none show twice or not at all.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from amlocal.core.errors import BadRequest
from amlocal.core.http import Call, Json, Reply

PAGE_SIZE = 100
Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)
Other = TypeVar("Other")
_TOKEN = re.compile("([0-9]{1,18}):([0-9]{1,18})")
_OLDEST_FIRST = re.compile(r"\s*created_?(?:time|at)(?:\s+asc)?\s*", re.IGNORECASE)


class PagedList(Protocol[Item_co]):
    """A list that is read page by page."""

    def read(
        self, *, after: int | None = None, skip: int = 0, limit: int = -1, oldest_first: bool = False
    ) -> Sequence[tuple[int, Item_co | None]]:
        """Return up to `limit` items behind the place `after`, each with its place; None for one not to be shown."""


@dataclass(frozen=True, slots=True)
class LoadedList(Generic[Item, Other]):
    """A list of what `load` makes of the items of another, a page at a time; None leaves one out."""

    rows: PagedList[Item]
    load: Callable[[list[Item]], Sequence[Other | None]]

    def read(
        self, *, after: int | None = None, skip: int = 0, limit: int = -1, oldest_first: bool = False
    ) -> list[tuple[int, Other | None]]:
        """See `PagedList`."""
        found = self.rows.read(after=after, skip=skip, limit=limit, oldest_first=oldest_first)
        loaded = iter(self.load([item for _, item in found if item is not None]))
        return [(place, None if item is None else next(loaded)) for place, item in found]


@dataclass(frozen=True, slots=True)
class InMemoryList(Generic[Item]):
    """A short list that is in memory; places count from 1."""

    items: Sequence[Item]

    def read(
        self, *, after: int | None = None, skip: int = 0, limit: int = -1, oldest_first: bool = False
    ) -> list[tuple[int, Item]]:
        """See `PagedList`."""
        numbered = list(enumerate(self.items, start=1))
        ordered = numbered[::-1] if oldest_first else numbered
        rest = [row for row in ordered if after is None or (row[0] < after if oldest_first else row[0] > after)][skip:]
        return rest if limit < 0 else rest[:limit]


def view_asked(call: Call) -> str:
    """Return the `listViewType` of a call, `ActiveOnly` when it names none."""
    asked = call.query.get("listViewType", "")
    return asked if asked in ("All", "ArchivedOnly") else "ActiveOnly"


def _decode(token: str) -> tuple[int, int]:
    """Return the place at which the page before ended, and how many items came up to there."""
    try:
        found = _TOKEN.fullmatch(base64.urlsafe_b64decode(token.encode()).decode())
    except (ValueError, binascii.Error) as error:
        raise BadRequest(f"The $skipToken {token!r} is not one that this service gave.") from error
    if found is None:
        raise BadRequest(f"The $skipToken {token!r} is not one that this service gave.")
    return int(found[1]), int(found[2])


def _whole(call: Call, key: str, default: int) -> int:
    text = call.query.get(key, "")
    if not text:
        return default
    if not re.fullmatch("[0-9]{1,18}", text):
        raise BadRequest(f"The query key {key} must be a whole number, not {text[:40]!r}.")
    return int(text)


def _as_it_is(item: Json) -> Json:
    return item


def page(call: Call, rows: PagedList[Item], origin: str, *, show: Callable[[Item], Json] = _as_it_is) -> Reply:
    """Answer one page of a list, each item written out by `show`: `$skip` leaves out the first, `$top` ends the list.

    `$orderBy=createdtime asc` turns it round. The link to the next page repeats the caller's query.
    """
    skip, token = _whole(call, "$skip", 0), call.query.get("$skipToken")
    after, given = _decode(token) if token else (None, 0)
    size = min(_whole(call, "$maxpagesize", PAGE_SIZE) or PAGE_SIZE, PAGE_SIZE)
    left = max(_whole(call, "$top", given + size + 1) - given, 0)
    size = min(size, left)
    order = call.query.get("$orderBy") or call.query.get("orderBy") or ""
    found = rows.read(
        after=after,
        skip=0 if token else skip,
        limit=size + 1,
        oldest_first=_OLDEST_FIRST.fullmatch(order) is not None,
    )
    shown = found[:size]
    body: dict[str, Any] = {"value": [show(item) for _, item in shown if item is not None]}
    if len(found) > size and left > size:
        place = base64.urlsafe_b64encode(f"{shown[-1][0]}:{given + size}".encode()).decode()
        query = dict(call.query) | {"$skipToken": place}
        body["nextLink"] = f"{origin}{urlsplit(call.target).path}?{urlencode(query, safe='$', quote_via=quote)}"
    return Reply(200, body)
