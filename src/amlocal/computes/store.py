"""The computes of a workspace."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from amlocal.core.context import Context
from amlocal.core.documents import Document, Listing
from amlocal.core.errors import ApiError, BadRequest
from amlocal.core.fields import count, flag, mapping, text, texts

_KIND = "compute"
CPU_CLUSTER = "cpu-cluster"
# learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules, workspaces / computes
_NAME = re.compile(r"[A-Za-z0-9-]{3,32}")
_DEFAULTS = {
    "vmPriority": "Dedicated",
    "subnet": None,
    "errors": None,
    "remoteLoginPortPublicAccess": "Enabled",
    "osType": "Linux",
    "virtualMachineImage": None,
    "isolatedNetwork": False,
    "enableNodePublicIp": True,
    "enableBatchPrivateLink": False,
}


class Computes:
    """Keeps computes; `cpu-cluster` is there from the first start."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._listeners: list[Callable[[], None]] = []
        if self.list().first() is None:
            scale = {"minNodeCount": 0, "maxNodeCount": 2, "nodeIdleTimeBeforeScaleDown": "PT2M"}
            settings = {"vmSize": "STANDARD_DS3_V2", "scaleSettings": scale}
            self.put(CPU_CLUSTER, {"properties": {"computeType": "AmlCompute", "properties": settings}})

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Have `listener` called after every change of a compute."""
        self._listeners.append(listener)

    def get(self, name: str) -> Document | None:
        """Return the compute, or None (Azure answers a missing one with an empty 404)."""
        return self._context.documents.get(_KIND, name)

    def list(self) -> Listing:
        """Return the list of all computes."""
        return self._context.documents.select(_KIND)

    def put(self, name: str, body: Mapping[str, Any]) -> Document:
        """Create or update an AmlCompute. Raises `ApiError` for other types, `BadRequest` for an impossible scale."""
        _check_name(name)
        given = mapping(body, "properties")
        kind = given.get("computeType")
        if kind != "AmlCompute":
            raise ApiError(
                501, f"Computes of type {kind} are not served locally; use AmlCompute.", code="NotImplemented"
            )
        settings = mapping(given, "properties")
        known = self.get(name)
        now = self._context.now()
        stored = {
            "createdOn": known.body["createdOn"] if known else now,
            "modifiedOn": now,
            "tags": texts(body, "tags"),
            "description": text(given, "description"),
            "disableLocalAuth": flag(given, "disableLocalAuth"),
            "settings": _DEFAULTS | settings | {
                "vmSize": (text(settings, "vmSize") or "STANDARD_DS3_V2").upper(),
                "scaleSettings": _scale(mapping(settings, "scaleSettings")),
            },
        }  # fmt: skip
        document = self._context.documents.put(_KIND, name, stored)
        self._tell()
        return document

    def delete(self, name: str) -> bool:
        """Remove a compute; False when there is none."""
        deleted = self._context.documents.delete(_KIND, name)
        self._tell()
        return deleted

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def capacity(self, name: str) -> int:
        """Return how many jobs may run on the compute at once (its largest node count)."""
        found = self.get(name)
        return int(found.body["settings"]["scaleSettings"]["maxNodeCount"]) if found else 0


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise BadRequest(f"The compute name {name!r} is not valid: it holds 3 to 32 letters, digits and '-'.")


def _scale(given: Mapping[str, Any]) -> dict[str, Any]:
    low, high = count(given, "minNodeCount", default=0), count(given, "maxNodeCount", default=1)
    if not max(low, 1) <= high:
        raise BadRequest(
            f"The scale settings must hold 0 <= minNodeCount <= maxNodeCount and one node, not {low} to {high}."
        )
    idle = text(given, "nodeIdleTimeBeforeScaleDown") or "PT2M"
    return {"minNodeCount": low, "maxNodeCount": high, "nodeIdleTimeBeforeScaleDown": idle}
