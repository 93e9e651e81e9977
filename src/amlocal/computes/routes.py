"""The compute routes."""

from collections.abc import Mapping
from typing import Any

from amlocal.computes import instances
from amlocal.computes.store import Computes, kind_of
from amlocal.core.context import PROVIDER, Context
from amlocal.core.documents import Document
from amlocal.core.http import Call, Reply, Route
from amlocal.core.operations import Operations
from amlocal.core.paging import page

_COUNTS = ("preparing", "running", "idle", "unusable", "leaving", "preempted")
_STATUS_SEGMENT = "computeOperationsStatus"


class ComputeRoutes:
    """Create, read, update, delete; start, stop and restart. A missing compute is an empty 404, as on Azure."""

    def __init__(self, context: Context, computes: Computes, operations: Operations) -> None:
        self._context = context
        self._computes = computes
        self._operations = operations

    def routes(self) -> list[Route]:
        """Return the routes."""
        one = f"{self._context.arm}/computes/{{name}}"
        return [
            Route("GET", one, self._show),
            Route("PUT", one, self._put),
            Route("PATCH", one, self._put),
            Route("DELETE", one, self._delete),
            *(Route("POST", f"{one}/{action}", self._act) for action in instances.ACTIONS),
            Route("POST", f"{one}/listNodes", self._nodes),
            Route("GET", f"{self._context.arm}/computes", self._list),
        ]

    def _body(self, document: Document, *, creating: bool = False) -> dict[str, Any]:
        stored, kind = document.body, kind_of(document)
        shown = instances.shown_settings if kind == instances.KIND else _cluster_settings
        return {
            "id": f"{self._context.arm}/computes/{document.name}",
            "name": document.name,
            "type": f"{PROVIDER}/workspaces/computes",
            "location": self._context.identity.location,
            "tags": stored["tags"],
            **({"identity": stored["identity"]} if stored.get("identity") else {}),
            "properties": {
                "createdOn": stored["createdOn"],
                "modifiedOn": stored["modifiedOn"],
                "disableLocalAuth": stored["disableLocalAuth"],
                "description": stored["description"],
                "resourceId": None,
                "computeType": kind,
                "computeLocation": self._context.identity.location,
                "provisioningState": "Creating" if creating else "Succeeded",
                "provisioningErrors": None,
                "isAttachedCompute": False,
                "properties": shown(stored, creating=creating),
            },
        }

    def _show(self, call: Call) -> Reply:
        document = self._computes.get(call.path["name"])
        return Reply(404) if document is None else Reply(200, self._body(document))

    def _list(self, call: Call) -> Reply:
        shown = self._computes.list(call.query.get("computeType") or None)
        return page(call, shown, self._context.origin, show=self._body)

    def _nodes(self, call: Call) -> Reply:
        known = self._computes.get(call.path["name"]) is not None
        return Reply(200, {"nodes": [], "nextLink": None}) if known else Reply(404)

    def _put(self, call: Call) -> Reply:
        name = call.path["name"]
        known = self._computes.get(name)
        answer = self._body(self._computes.put(name, call.object()), creating=True)
        if known is None:  # Azure's first answer knows no place yet, and no tags rather than an empty object
            del answer["properties"]["computeLocation"]
            answer["tags"] = answer["tags"] or None
        return self._done(201, answer)

    def _delete(self, call: Call) -> Reply:
        return self._done(202) if self._computes.delete(call.path["name"]) else Reply(404)

    def _act(self, call: Call) -> Reply:
        action = call.url.partition("?")[0].rpartition("/")[2]
        return self._done(202) if self._computes.act(call.path["name"], action) else Reply(404)

    def _done(self, status: int, answer: dict[str, Any] | None = None) -> Reply:
        """Answer what Azure takes minutes for and what is over here at once."""
        operation = self._operations.start("co")
        self._operations.finish(operation)
        return Reply(status, answer, self._operations.headers(operation, segment=_STATUS_SEGMENT))


def _cluster_settings(stored: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
    """Return a cluster's settings as the wire has them."""
    steady: dict[str, Any] = {
        "currentNodeCount": 0,
        "targetNodeCount": 0,
        "nodeStateCounts": {f"{state}NodeCount": 0 for state in _COUNTS},
        "allocationState": "Steady",
        "allocationStateTransitionTime": stored["modifiedOn"],
        "propertyBag": {},
    }
    pending = dict.fromkeys(("currentNodeCount", "targetNodeCount", "nodeStateCounts", "allocationState"))
    return dict(stored["settings"]) | (pending if creating else steady)
