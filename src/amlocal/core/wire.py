"""Azure's conventions on the wire: dates, ids, who did it, the error envelope."""

import re
from datetime import UTC, datetime
from typing import Any

from amlocal.core.errors import ApiError

USER = "amlocal user"
_OWN_PREFIX = re.compile(r"^azureml:(?!/)", re.IGNORECASE)


def azure_date(moment: datetime) -> str:
    """Return RFC 3339 with at most 7 fraction digits, trailing zeros cut, ending in +00:00 (as Azure ML writes it)."""
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    return f"{text.rstrip('0').rstrip('.')}+00:00"


def from_azure_date(text: str) -> datetime:
    """Return the moment that `azure_date` wrote."""
    return datetime.fromisoformat(text)


def system_data(created: str, modified: str | None = None, *, by: str = USER, kind: str = "User") -> dict[str, Any]:
    """Return the six keys that Azure keeps with an asset; without `modified`, the four of one never updated."""
    data = {"createdAt": created, "createdBy": by, "createdByType": kind, "lastModifiedAt": modified or created}
    if modified is not None:
        data |= {"lastModifiedBy": by, "lastModifiedByType": kind}
    return data


def plain_name(name: str) -> str:
    """Drop the `azureml:` that the SDK leaves on the names of assets looked up by label."""
    return _OWN_PREFIX.sub("", name)


def string_map(value: Any) -> dict[str, str]:
    """Return tags or properties as Azure keeps them: text to text, {} for null."""
    return {str(key): str(item) for key, item in (value or {}).items() if item is not None}


def envelope(error: ApiError, *, operation: str, request: str, location: str, now: str) -> dict[str, Any]:
    """Return the body of an error answer as Azure ML's front end writes it."""
    info: list[dict[str, Any]] = [
        {"type": "ComponentName", "info": {"value": "managementfrontend"}},
        {"type": "Correlation", "info": {"value": {"operation": operation, "request": request}}},
        {"type": "Environment", "info": {"value": location}},
        {"type": "Location", "info": {"value": location}},
        {"type": "Time", "info": {"value": now}},
    ]
    if error.inner is not None:
        info.append({"type": "InnerError", "info": {"value": {"code": error.inner, "innerError": None}}})
    details = [
        {"code": code, "message": message, "details": [], "additionalInfo": []} for code, message in error.details
    ]
    return {"error": {"code": error.code, "message": error.message, "details": details, "additionalInfo": info}}
