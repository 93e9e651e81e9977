"""Who this workspace is and what every API shares: time and chance, and how Azure writes dates, authors and errors."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from amlocal.core.documents import Documents
from amlocal.core.errors import ApiError

USER = "amlocal user"
_OWN_PREFIX = re.compile(r"^azureml:(?!/)", re.IGNORECASE)
Clock = Callable[[], datetime]  # now, aware, UTC
Ids = Callable[[], str]  # a fresh GUID as text
PROVIDER = "Microsoft.MachineLearningServices"
TENANT = "11111111-1111-1111-1111-111111111111"
STORAGE_ACCOUNT = "devstore"
# azure-ai-ml downloads code only from *.blob.core.windows.net, and the path-style root of an account carries this
# suffix; nothing is ever sent there (docs/amlocal.md, "Storage").
STORAGE_SUFFIX = "core.windows.net"


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


def system_clock() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def random_ids() -> str:
    """Return a random GUID, of version 4; `uuid.uuid4` takes three times as long, and each request wants one or two."""
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


@dataclass(frozen=True, slots=True)
class Identity:
    """The names of a workspace, as Azure Resource Manager knows them."""

    subscription: str
    resource_group: str
    name: str
    guid: str
    location: str = "local"

    @property
    def arm_id(self) -> str:
        """The workspace's ARM id, in the exact case that the SDK parses."""
        return f"{self.group_id}/providers/{PROVIDER}/workspaces/{self.name}"

    @property
    def group_id(self) -> str:
        """The resource group's ARM id."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"

    def datastore_uri(self, datastore: str, path: str, *, group: str = "resourcegroups") -> str:
        """Return the long form of a datastore URI (Azure ML writes data with `resourcegroups`, models with a G)."""
        return (
            f"azureml://subscriptions/{self.subscription}/{group}/{self.resource_group}"
            f"/workspaces/{self.name}/datastores/{datastore}/paths/{path}"
        )


@dataclass(frozen=True, slots=True)
class Context:
    """What is handed to every API: identity, origin, storage, time and chance."""

    identity: Identity
    origin: str  # https://127.0.0.1:PORT
    documents: Documents
    clock: Clock
    ids: Ids

    @property
    def arm(self) -> str:
        """The workspace's ARM id."""
        return self.identity.arm_id

    def now(self) -> str:
        """The present moment as Azure writes it."""
        return azure_date(self.clock())
