"""Lists in pages: Azure's `nextLink` with a skip token, and the listing views."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from amlocal.core.errors import BadRequest
from amlocal.core.http import Call, Json, Reply

PAGE_SIZE = 100
Item = TypeVar("Item")


def visible(archived: bool, view: str | None) -> bool:
    """Tell whether an item shows in a `listViewType` (ActiveOnly when the caller names none)."""
    return view == "All" or archived == (view == "ArchivedOnly")


def _decode(token: str) -> int:
    try:
        offset = int(base64.urlsafe_b64decode(token.encode()).decode())
    except (ValueError, binascii.Error) as error:
        raise BadRequest(f"The $skipToken {token!r} is not one that this service gave.") from error
    if offset < 0:
        raise BadRequest("The $skipToken points before the first item.")
    return offset


def _whole(call: Call, key: str, default: int) -> int:
    text = call.query.get(key, "")
    if not text:
        return default
    if not re.fullmatch("[0-9]{1,18}", text):
        raise BadRequest(f"The query key {key} must be a whole number, not {text[:40]!r}.")
    return int(text)


def _as_it_is(item: Json) -> Json:
    return item


def page(call: Call, items: Iterable[Item], origin: str, *, show: Callable[[Item], Json] = _as_it_is) -> Reply:
    """Answer one page of `items`, each written out by `show`: `$skip` leaves out the first, `$top` ends the list.

    The link to the next page repeats the caller's query; its `$skipToken` counts what the pages before it held.
    """
    skip, token = _whole(call, "$skip", 0), call.query.get("$skipToken")
    rows = list(items)[skip:]
    rows = rows[: _whole(call, "$top", len(rows))]
    start = _decode(token) if token else 0
    end = start + min(_whole(call, "$maxpagesize", PAGE_SIZE) or PAGE_SIZE, PAGE_SIZE)
    body: dict[str, Any] = {"value": [show(row) for row in rows[start:end]]}
    if end < len(rows):
        query = dict(call.query) | {"$skipToken": base64.urlsafe_b64encode(str(end).encode()).decode()}
        body["nextLink"] = f"{origin}{urlsplit(call.target).path}?{urlencode(query, safe='$', quote_via=quote)}"
    return Reply(200, body)
