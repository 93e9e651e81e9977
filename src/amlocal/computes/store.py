"""The computes of a workspace."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from amlocal.computes import instances
from amlocal.core.context import TENANT, Context
from amlocal.core.decoding import count, flag, mapping, text
from amlocal.core.documents import Document, Listing
from amlocal.core.errors import ApiError, BadRequest
from amlocal.core.limits import arm_tags

_KIND = "compute"
CLUSTER = "AmlCompute"
CPU_CLUSTER = "cpu-cluster"
# learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules, workspaces / computes
_NAME = re.compile(r"[A-Za-z0-9-]{3,32}")
_PRINCIPAL = "55555555-5555-5555-5555-555555555555"
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
        context.documents.index(_KIND, lambda document: [(kind_of(document),)])
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

    def list(self, kind: str | None = None) -> Listing:
        """Return the list of all computes, or of those of a type."""
        return self._context.documents.select(_KIND, *([] if kind is None else [(kind,)]))

    def put(self, name: str, body: Mapping[str, Any]) -> Document:
        """Create or update a cluster or an instance.

        Raises `ApiError` 501 for other types, `BadRequest` for an impossible name or scale.
        """
        _check_name(name)
        given = mapping(body, "properties")
        kind = given.get("computeType")
        if kind not in (CLUSTER, instances.KIND):
            raise ApiError(
                501,
                f"Computes of type {kind} are not served locally; {CLUSTER} and {instances.KIND} are.",
                code="NotImplemented",
            )
        known = self.get(name)
        if known and kind_of(known) != kind:
            raise BadRequest(f"Compute {name} exists as {kind_of(known)} and cannot become {kind}.")
        now = self._context.now()
        settings = mapping(given, "properties")
        stored = {
            "kind": kind,
            "createdOn": known.body["createdOn"] if known else now,
            "modifiedOn": now,
            "identity": _identity(mapping(body, "identity")),
            "tags": arm_tags(body),
            "description": text(given, "description"),
            "disableLocalAuth": flag(given, "disableLocalAuth"),
            "settings": _cluster(settings) if kind == CLUSTER else _instance(name, settings, known, now),
        }
        document = self._context.documents.put(_KIND, name, stored)
        self._notify()
        return document

    def act(self, name: str, action: str) -> bool:
        """Start, stop or restart an instance; False when there is no such compute.

        Raises `BadRequest` for a cluster, `Conflict` for a state in which the action cannot be.
        """
        with self._context.documents.transaction():
            document = self.get(name)
            if document is None:
                return False
            if kind_of(document) != instances.KIND:
                raise BadRequest(
                    f"Compute {name} is a cluster, which cannot {action}: its nodes come and go by themselves."
                )
            now = self._context.now()
            settings = instances.after_action(name, document.body["settings"], action, now)
            self._context.documents.put(_KIND, name, dict(document.body) | {"settings": settings, "modifiedOn": now})
        self._notify()
        return True

    def delete(self, name: str) -> bool:
        """Remove a compute; False when there is none."""
        deleted = self._context.documents.delete(_KIND, name)
        self._notify()
        return deleted

    def _notify(self) -> None:
        for listener in self._listeners:
            listener()

    def capacity(self, name: str) -> int | None:
        """Return how many jobs may run on the compute at once, None when there is no such compute.

        That is a cluster's largest node count; an instance takes one while it runs.
        """
        found = self.get(name)
        if found is None:
            return None
        settings = found.body["settings"]
        if kind_of(found) == instances.KIND:
            return int(settings["state"] == instances.RUNNING)
        return int(settings["scaleSettings"]["maxNodeCount"])


def kind_of(document: Document) -> str:
    """Return a compute's type."""
    return str(document.body.get("kind", CLUSTER))  # workspaces of before instances hold no kind


def _cluster(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_DEFAULTS,
        **settings,
        "vmSize": (text(settings, "vmSize") or "STANDARD_DS3_V2").upper(),
        "scaleSettings": _scale(mapping(settings, "scaleSettings")),
    }


def _instance(name: str, settings: Mapping[str, Any], known: Document | None, now: str) -> dict[str, Any]:
    kept = known.body["settings"] if known else {"lastOperation": instances.operation("Create", now)}
    state = {key: kept[key] for key in ("state", "lastOperation") if key in kept}
    return instances.accept_settings(name, settings) | state


def _identity(sent: Mapping[str, Any]) -> dict[str, Any] | None:
    kind = text(sent, "type")
    return None if kind is None else {**sent, "principalId": _PRINCIPAL, "tenantId": TENANT}


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
