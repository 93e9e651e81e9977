"""The compute routes."""

from typing import Any

from amlocal.computes.store import Computes
from amlocal.core.context import PROVIDER, Context
from amlocal.core.documents import Document
from amlocal.core.http import Call, Reply, Route
from amlocal.core.operations import Operations
from amlocal.core.paging import page

_COUNTS = ("preparing", "running", "idle", "unusable", "leaving", "preempted")
_STATUS_FACE = "computeOperationsStatus"


def routes(context: Context, computes: Computes, operations: Operations) -> list[Route]:
    """Return the compute routes. A missing compute is an empty 404, as Azure answers it."""

    def body(document: Document, *, creating: bool = False) -> dict[str, Any]:
        stored = document.body
        steady: dict[str, Any] = {
            "currentNodeCount": 0,
            "targetNodeCount": 0,
            "nodeStateCounts": {f"{state}NodeCount": 0 for state in _COUNTS},
            "allocationState": "Steady",
            "allocationStateTransitionTime": stored["modifiedOn"],
            "propertyBag": {},
        }
        pending = dict.fromkeys(("currentNodeCount", "targetNodeCount", "nodeStateCounts", "allocationState"))
        return {
            "id": f"{context.arm}/computes/{document.name}",
            "name": document.name,
            "type": f"{PROVIDER}/workspaces/computes",
            "location": context.identity.location,
            "tags": stored["tags"],
            "properties": {
                "createdOn": stored["createdOn"],
                "modifiedOn": stored["modifiedOn"],
                "disableLocalAuth": stored["disableLocalAuth"],
                "description": stored["description"],
                "resourceId": None,
                "computeType": "AmlCompute",
                "computeLocation": context.identity.location,
                "provisioningState": "Creating" if creating else "Succeeded",
                "provisioningErrors": None,
                "isAttachedCompute": False,
                "properties": stored["settings"] | (pending if creating else steady),
            },
        }

    def show(call: Call) -> Reply:
        document = computes.get(call.path["name"])
        return Reply(404) if document is None else Reply(200, body(document))

    def listing(call: Call) -> Reply:
        return page(call, computes.list(), context.origin, show=body)

    def put(call: Call) -> Reply:
        name = call.path["name"]
        known = computes.get(name)
        answer = body(computes.put(name, call.object()), creating=True)
        if known is None:  # Azure's first answer knows no place yet, and no tags rather than an empty object
            del answer["properties"]["computeLocation"]
            answer["tags"] = answer["tags"] or None
        operation = operations.start("co")
        operations.finish(operation)
        return Reply(201, answer, operations.headers(operation, face=_STATUS_FACE))

    def delete(call: Call) -> Reply:
        if not computes.delete(call.path["name"]):
            return Reply(404)
        operation = operations.start("co")
        operations.finish(operation)
        return Reply(202, None, operations.headers(operation, face=_STATUS_FACE))

    one = f"{context.arm}/computes/{{name}}"
    return [
        Route("GET", one, show),
        Route("PUT", one, put),
        Route("PATCH", one, put),
        Route("DELETE", one, delete),
        Route("GET", f"{context.arm}/computes", listing),
    ]
