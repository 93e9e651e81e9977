"""Lists in pages: Azure's `nextLink` with a skip token, and the listing views."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from amlocal.core.errors import BadRequest
from amlocal.core.http import Call, Reply

PAGE_SIZE = 100


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
    if not text.isdecimal():
        raise BadRequest(f"The query key {key} must be a whole number, not {text!r}.")
    return int(text)


def page(call: Call, items: Sequence[Any] | Iterable[Any], origin: str) -> Reply:
    """Answer one page of `items`: `$top` ends the list, `$skip` and `$skipToken` start it later."""
    rows = list(items)
    top = _whole(call, "$top", len(rows))
    start = _whole(call, "$skip", 0) + (_decode(call.query["$skipToken"]) if call.query.get("$skipToken") else 0)
    size = min(_whole(call, "$maxpagesize", PAGE_SIZE) or PAGE_SIZE, PAGE_SIZE)
    end = min(start + size, top, len(rows))
    body: dict[str, Any] = {"value": rows[start:end]}
    if end < min(top, len(rows)):
        token = base64.urlsafe_b64encode(str(end - _whole(call, "$skip", 0)).encode()).decode()
        query = {key: value for key, value in call.query.items() if key != "$skipToken"} | {"$skipToken": token}
        body["nextLink"] = f"{origin}{urlsplit(call.target).path}?{urlencode(query, safe='$', quote_via=quote)}"
    return Reply(200, body)
