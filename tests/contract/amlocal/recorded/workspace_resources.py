"""Azure's answers about the workspace, its datastores, computes and operations."""

from typing import Any

from tests.contract.amlocal.recorded.common import BY_SERVICE, PROVIDER, UPDATED, error, resource
from tests.contract.amlocal.recorded.vocabulary import (
    ARM,
    BOOL,
    DATE,
    EMPTY,
    INT,
    STR,
    TEXTS,
    URI,
    Kind,
    Shape,
    Template,
)

WORKSPACE = {
    "id": ARM,
    "name": STR,
    "type": f"{PROVIDER}/workspaces",
    "location": STR,
    "tags": TEXTS,
    "etag": None,
    "kind": "Default",
    "sku": {"name": "Basic", "tier": "Basic"},
    "identity": {"type": "SystemAssigned", "principalId": STR, "tenantId": STR},
    "systemData": UPDATED,
    "properties": {
        "friendlyName": STR, "description": STR, "storageAccount": ARM, "keyVault": ARM, "applicationInsights": ARM,
        "containerRegistry": ARM, "hbiWorkspace": False, "tenantId": STR, "imageBuildCompute": None,
        "provisioningState": "Succeeded", "v1LegacyMode": False, "softDeleteEnabled": False, "creationTime": DATE,
        "notebookInfo": {
            "resourceId": STR, "fqdn": STR, "isPrivateLinkEnabled": False, "notebookPreparationError": None,
        },
        "storageHnsEnabled": False, "workspaceId": STR, "linkedModelInventoryArmId": None, "privateLinkCount": INT,
        "publicNetworkAccess": "Enabled", "discoveryUrl": Template("https://{host}/discovery"),
        "mlFlowTrackingUri": Template("azureml://{host}/mlflow/v1.0/{workspace}"), "sdkTelemetryAppInsightsKey": STR,
        "sasGetterUri": "", "enableDataIsolation": False,
    },
}  # fmt: skip
NO_WORKSPACE = {
    "error": {
        "code": "ResourceNotFound",
        "message": Template(
            f"The Resource '{PROVIDER}/workspaces/{{name}}' under resource group '{{group}}' was not found. "
            "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
        ),
    }
}
DISCOVERY = dict.fromkeys(
    (
        "api", "catalog", "experimentation", "gallery", "history", "hyperdrive", "labeling", "modelmanagement",
        "pipelines", "quota-manager", "studio",
    ),
    URI,
)  # fmt: skip


def _datastore(tags: Shape, *, default: bool, identity: str = "None") -> dict[str, Any]:
    properties = {
        "description": None, "tags": tags, "properties": None, "isDefault": default,
        "credentials": {"credentialsType": "AccountKey"}, "datastoreType": "AzureBlob", "accountName": STR,
        "containerName": STR, "endpoint": STR, "protocol": "https", "serviceDataAccessAuthIdentity": identity,
    }  # fmt: skip
    return resource("datastores", properties, BY_SERVICE)


DEFAULT_DATASTORE = _datastore(None, default=True, identity="WorkspaceSystemAssignedIdentity")
BUILT_IN_DATASTORE = _datastore(None, default=False)
DATASTORE = _datastore(TEXTS, default=False)
DATASTORE_SECRETS = {"secretsType": "AccountKey", "key": STR}
NO_DATASTORE = error("Could not find datastore: {name}.")

_CLUSTER = {
    "vmSize": Kind("capitals", lambda value: isinstance(value, str) and value.isupper()), "vmPriority": "Dedicated",
    "scaleSettings": {"maxNodeCount": INT, "minNodeCount": INT, "nodeIdleTimeBeforeScaleDown": STR}, "subnet": None,
    "currentNodeCount": None, "targetNodeCount": None, "nodeStateCounts": None, "allocationState": None,
    "errors": None, "remoteLoginPortPublicAccess": "Enabled", "osType": "Linux", "virtualMachineImage": None,
    "isolatedNetwork": BOOL, "enableNodePublicIp": BOOL, "enableBatchPrivateLink": BOOL,
}  # fmt: skip
_STATES = ("preparing", "running", "idle", "unusable", "leaving", "preempted")
_STEADY_CLUSTER = _CLUSTER | {
    "currentNodeCount": INT, "targetNodeCount": INT, "nodeStateCounts": {f"{state}NodeCount": INT for state in _STATES},
    "allocationState": "Steady", "allocationStateTransitionTime": DATE, "propertyBag": EMPTY,
}  # fmt: skip


def _compute(state: str, cluster: Shape, **more: Shape) -> dict[str, Any]:
    properties = {
        "createdOn": DATE, "modifiedOn": DATE, "disableLocalAuth": BOOL, "description": STR, "resourceId": None,
        "computeType": "AmlCompute", "provisioningState": state, "provisioningErrors": None,
        "isAttachedCompute": False, "properties": cluster, **more,
    }  # fmt: skip
    kind = f"{PROVIDER}/workspaces/computes"
    return {"id": ARM, "name": STR, "type": kind, "properties": properties, "location": STR, "tags": TEXTS}


NEW_COMPUTE = _compute("Creating", _CLUSTER) | {"tags": None}
UPDATED_COMPUTE = _compute("Creating", _CLUSTER, computeLocation=STR, resourceId=ARM)
COMPUTE = _compute("Succeeded", _STEADY_CLUSTER, computeLocation=STR)
COMPUTE_OPERATION_RUNS = {"status": "InProgress"}
COMPUTE_OPERATION_DONE = {"status": "Succeeded", "percentComplete": 100.0}
