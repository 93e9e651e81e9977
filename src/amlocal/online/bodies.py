"""Endpoints and deployments as the wire has them, Azure's defaults filled in (WIRE, "Online")."""

from collections.abc import Mapping
from typing import Any

from amlocal.core.context import PROVIDER, TENANT, Context
from amlocal.core.documents import Document
from amlocal.core.operations import Operations

_PROBE = {
    "failureThreshold": 30,
    "successThreshold": 1,
    "timeout": "PT2S",
    "period": "PT10S",
    "initialDelay": "PT10S",
}
_REQUESTS = {"maxQueueWait": "PT0S", "requestTimeout": "PT5S", "maxConcurrentRequestsPerInstance": 1}
_KIND = f"{PROVIDER}/workspaces/onlineEndpoints"


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
        "requestSettings": filled("requestSettings", _REQUESTS),
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


class Bodies:
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
        return self._common(body, f"{self.root}/{document.name}", document.name, _KIND) | {
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
        return self._common(body, arm_id, document.version, f"{_KIND}/deployments") | {
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
