"""Endpoints and deployments as the wire has them (WIRE, "Online"), and how both answer a write."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amlocal.core.context import PROVIDER, TENANT, Context
from amlocal.core.documents import Document
from amlocal.core.http import Json, Reply
from amlocal.core.operations import Operations
from amlocal.online.rollouts import Rollouts
from amlocal.online.store import OnlineStore

_PROBE = {
    "failureThreshold": 30,
    "successThreshold": 1,
    "timeout": "PT2S",
    "period": "PT10S",
    "initialDelay": "PT10S",
}
_REQUEST_SETTINGS = {"maxQueueWait": "PT0S", "requestTimeout": "PT5S", "maxConcurrentRequestsPerInstance": 1}
_ENDPOINT_TYPE = f"{PROVIDER}/workspaces/onlineEndpoints"


def with_defaults(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return a deployment's properties with what the service fills in for what is absent or null."""

    def filled(key: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
        given = properties.get(key) or {}
        return {**defaults, **{name: value for name, value in given.items() if value is not None}}

    return {
        **{key: properties[key] for key in ("dataCollector", "startupProbe") if properties.get(key)},
        "description": properties.get("description"),
        "properties": properties.get("properties") or {},
        "codeConfiguration": properties.get("codeConfiguration"),
        "environmentId": properties.get("environmentId"),
        "environmentVariables": properties.get("environmentVariables") or {},
        "scaleSettings": properties.get("scaleSettings") or {"scaleType": "Default"},
        "requestSettings": filled("requestSettings", _REQUEST_SETTINGS),
        "modelMountPath": properties.get("modelMountPath"),
        "appInsightsEnabled": bool(properties.get("appInsightsEnabled")),
        "livenessProbe": filled("livenessProbe", _PROBE),
        "readinessProbe": filled("readinessProbe", _PROBE),
        "instanceType": properties.get("instanceType"),
        "model": properties.get("model"),
        "privateNetworkConnection": False,
        "egressPublicNetworkAccess": properties.get("egressPublicNetworkAccess") or "Enabled",
        "endpointComputeType": "Managed",
    }


class ResourceBodies:
    """Writes resources out."""

    def __init__(self, context: Context, operations: Operations) -> None:
        self._context = context
        self._operations = operations
        self.root = f"{context.arm}/onlineEndpoints"

    def scoring_uri(self, endpoint: str) -> str:
        """Return where an endpoint is scored."""
        return f"{self._context.origin}/endpoints/{endpoint}/score"

    def endpoint(self, document: Document) -> dict[str, Any]:
        """Return an endpoint."""
        body = document.body
        known = {"azureml.onlineendpointid": f"{self.root}/{document.name}".lower(), **self._operation(body)}
        return self._common(body, f"{self.root}/{document.name}", document.name, _ENDPOINT_TYPE) | {
            "identity": {"type": "SystemAssigned", "principalId": self._context.identity.guid, "tenantId": TENANT},
            "properties": {
                "description": body["description"],
                "properties": {**body["properties"], **known},
                "scoringUri": self.scoring_uri(document.name),
                "swaggerUri": f"{self._context.origin}/endpoints/{document.name}/swagger.json",
                "authMode": body["authMode"],
                "provisioningState": body["state"],
                "compute": None,
                "traffic": body["traffic"],
                "mirrorTraffic": body["mirrorTraffic"],
                "publicNetworkAccess": body.get("access", "Enabled"),
            },
        }

    def deployment(self, document: Document) -> dict[str, Any]:
        """Return a deployment."""
        body = document.body
        arm_id = f"{self.root}/{document.name}/deployments/{document.version}"
        kept = body["properties"]
        return self._common(body, arm_id, document.version, f"{_ENDPOINT_TYPE}/deployments") | {
            "sku": {"name": "Default", "tier": "Standard", "capacity": body["capacity"]},
            "properties": {
                **kept,
                "properties": {**kept["properties"], **self._operation(body)},
                "provisioningState": body["state"],
            },
        }

    def _operation(self, body: Mapping[str, Any]) -> dict[str, str]:
        operation = body.get("operation")
        return {"AzureAsyncOperationUri": self._operations.status_url(operation)} if operation else {}

    def _common(self, body: Mapping[str, Any], arm_id: str, name: str, kind: str) -> dict[str, Any]:
        return {
            "id": arm_id,
            "name": name,
            "type": kind,
            "tags": body["tags"],
            "location": self._context.identity.location,
            "kind": "Managed",
            "systemData": {
                "createdAt": body["created"],
                "createdBy": "amlocal user",
                "lastModifiedAt": body["modified"],
            },
        }


@dataclass(frozen=True, slots=True)
class OperationResponses:
    """What the routes of endpoints and of deployments share: the stores, and how a write is answered."""

    context: Context
    store: OnlineStore
    bodies: ResourceBodies
    operations: Operations
    rollouts: Rollouts

    def written(self, operation: str, body: Json) -> Reply:
        """Return the answer to a PUT: 201 for an update too, and where to follow the operation (WIRE, "Online")."""
        return Reply(201, body, self._headers(operation, f"{self.context.origin}{body['id']}"))

    def patched(self, operation: str, body: Json) -> Reply:
        """Return the answer to a PATCH: 202, and where to follow the operation."""
        return Reply(202, body, self._headers(operation, f"{self.context.origin}{body['id']}"))

    def deleted(self, prefix: str) -> Reply:
        """Return the answer to a DELETE whose work is done; `prefix` is Azure's for the kind of operation."""
        operation = self.operations.start(prefix, status="Updating")
        self.operations.finish(operation)
        return Reply(
            202, b"null", self._headers(operation, self.operations.status_url(operation, segment="mfeOperationResults"))
        )

    def _headers(self, operation: str, location: str) -> dict[str, str]:
        timeout = {"x-ms-async-operation-timeout": "PT30M"}
        return self.operations.headers(operation) | {"Location": location} | timeout
