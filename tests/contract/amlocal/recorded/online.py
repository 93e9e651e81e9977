"""Azure's answers about online endpoints: recorded in 2022 (api-version 2022-02-01-preview); errors: users' logs."""

from typing import Any

from tests.contract.amlocal.recorded.common import PROVIDER
from tests.contract.amlocal.recorded.vocabulary import (
    ARM,
    BOOL,
    DATE,
    INT,
    STR,
    TEXTS,
    URI,
    Each,
    Kind,
    Maybe,
    Shape,
    Template,
)

NUMBER = Kind("number", lambda value: isinstance(value, float))
_KIND = f"{PROVIDER}/workspaces/onlineEndpoints"
_DATES = {"createdAt": DATE, "createdBy": STR, "lastModifiedAt": DATE}
_IDENTITY = {"type": "SystemAssigned", "principalId": STR, "tenantId": STR}
_ENDPOINT_ID = Template(
    "/subscriptions/{s}/resourcegroups/{g}/providers/microsoft.machinelearningservices/workspaces/{w}/onlineendpoints/{n}"
)


def _resource(kind: str, properties: Shape, **more: Shape) -> dict[str, Any]:
    return {
        "id": ARM, "name": STR, "type": kind, "properties": properties, "systemData": _DATES, "tags": TEXTS,
        "location": STR, "kind": "Managed", **more,
    }  # fmt: skip


def endpoint(state: str, *, mode: str = "Key", traffic: Shape = None, uris: bool = True) -> dict[str, Any]:
    """Return the shape of an endpoint in a state; `uris`: it has been ready before."""
    return _resource(
        _KIND,
        {
            "description": None,
            "properties": {"azureml.onlineendpointid": _ENDPOINT_ID, "AzureAsyncOperationUri": URI},
            "scoringUri": Template("https://{host}/score") if uris else None,
            "swaggerUri": Template("https://{host}/swagger.json") if uris else None,
            "authMode": mode, "provisioningState": state, "compute": None, "traffic": traffic or {},
            "mirrorTraffic": {}, "publicNetworkAccess": "Enabled",
        },
        identity=_IDENTITY,
    )  # fmt: skip


_PROBE = {"failureThreshold": 30, "successThreshold": 1, "timeout": "PT2S", "period": "PT10S", "initialDelay": "PT10S"}
CODE = {"codeId": ARM, "scoringScript": STR}


def deployment(state: str, *, code: Shape = None, environment: Shape = None) -> dict[str, Any]:
    """Return the shape of a deployment in a state: `Updating` from the first answer on, probes when it is ready."""
    ready = state == "Succeeded"
    timeout = "PT5S" if ready else "PT0S"
    return _resource(
        f"{_KIND}/deployments",
        {
            "description": Maybe(STR), "properties": {"AzureAsyncOperationUri": URI}, "codeConfiguration": code,
            "environmentId": environment, "environmentVariables": {}, "scaleSettings": {"scaleType": "Default"},
            "requestSettings": {
                "maxQueueWait": "PT0S", "requestTimeout": timeout, "maxConcurrentRequestsPerInstance": INT,
            },
            "modelMountPath": None, "appInsightsEnabled": BOOL, "livenessProbe": _PROBE if ready else None,
            "readinessProbe": _PROBE if ready else None, "provisioningState": state, "instanceType": STR, "model": ARM,
            "privateNetworkConnection": False, "egressPublicNetworkAccess": "Enabled", "endpointComputeType": "Managed",
        },
        sku={"name": "Default", "tier": "Standard", "capacity": INT},
    )  # fmt: skip


def operation(prefix: str, status: str, **more: Shape) -> dict[str, Any]:
    """Return the shape of an operation's status; `prefix` is oe for endpoints and od for deployments."""
    name = f"{prefix}:{{workspace}}:{{guid}}"
    path = f"/subscriptions/{{s}}/providers/{PROVIDER}/locations/{{l}}/mfeOperationsStatus"
    return {
        "id": Template(f"{path}/{name}"), "name": Template(name), "startTime": DATE, "percentComplete": NUMBER,
        "status": status, **more,
    }  # fmt: skip


TOKEN = {"accessToken": STR, "tokenType": "Bearer", "expiryTimeUtc": INT, "refreshAfterTimeUtc": INT}
# error.code is null: the SDK prints "(None) ResourceNotReady: ..."
CRASHED = Template("ResourceNotReady: User container has crashed or terminated: {reason}")
SCORED = ("azureml-model-deployment", "x-ms-run-fn-exec-ms", "x-ms-run-function-failed", "x-request-id")
"""Headers of an answer to a scoring request."""
DENIED = "key_auth_access_denied"
TRAFFIC = Each(INT)
