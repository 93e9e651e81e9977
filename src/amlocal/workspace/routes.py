"""The workspace as Azure Resource Manager and the SDK's discovery read it."""

from typing import Any

from amlocal.core.context import PROVIDER, STORAGE_ACCOUNT, TENANT, Context
from amlocal.core.http import Call, Reply, Route
from amlocal.core.paging import InMemoryList, page

_PRINCIPAL = "44444444-4444-4444-4444-444444444444"
# The keys of Azure's discovery document; the SDK reads `api` alone.
_SERVICES = (
    "api", "catalog", "experimentation", "gallery", "history", "hyperdrive",
    "labeling", "modelmanagement", "pipelines", "quota-manager", "studio",
)  # fmt: skip


def workspace_body(context: Context, created: str) -> dict[str, Any]:
    """Return the workspace as `GET {ws}` answers it."""
    identity = context.identity

    def sibling(kind: str, name: str) -> str:
        return f"{identity.group_id}/providers/{kind}/{name}"

    properties = {
        "friendlyName": identity.name,
        "description": "A local workspace",
        "storageAccount": sibling("Microsoft.Storage/storageAccounts", STORAGE_ACCOUNT),
        "keyVault": sibling("Microsoft.KeyVault/vaults", "local"),
        "applicationInsights": sibling("Microsoft.Insights/components", "local"),
        "containerRegistry": None,
        "hbiWorkspace": False,
        "tenantId": TENANT,
        "imageBuildCompute": None,
        "provisioningState": "Succeeded",
        "v1LegacyMode": False,
        "softDeleteEnabled": False,
        "creationTime": created.replace("+00:00", "Z"),
        "notebookInfo": None,
        "storageHnsEnabled": False,
        "workspaceId": identity.guid,
        "linkedModelInventoryArmId": None,
        "privateLinkCount": 0,
        "publicNetworkAccess": "Disabled",
        "discoveryUrl": f"{context.origin}/discovery",
        "mlFlowTrackingUri": f"{context.origin}/mlflow",
        "sdkTelemetryAppInsightsKey": None,
        "sasGetterUri": "",
        "enableDataIsolation": False,
    }
    dates = {"createdAt": created.replace("+00:00", "Z"), "lastModifiedAt": created.replace("+00:00", "Z")}
    person = {"createdBy": "amlocal user", "createdByType": "User"}
    last = {"lastModifiedBy": "amlocal user", "lastModifiedByType": "User"}
    return {
        "id": identity.arm_id,
        "name": identity.name,
        "type": f"{PROVIDER}/workspaces",
        "location": identity.location,
        "tags": {},
        "etag": None,
        "properties": properties,
        "identity": {"type": "SystemAssigned", "principalId": _PRINCIPAL, "tenantId": TENANT},
        "kind": "Default",
        "sku": {"name": "Basic", "tier": "Basic"},
        "systemData": dates | person | last,
    }


def _subscription(context: Context) -> dict[str, Any]:
    """Return the subscription as Azure Resource Manager lists it."""
    identifier = context.identity.subscription
    return {
        "id": f"/subscriptions/{identifier}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": identifier,
        "tenantId": TENANT,
        "displayName": "amlocal",
        "state": "Enabled",
        "subscriptionPolicies": {"locationPlacementId": "local", "quotaId": "local", "spendingLimit": "Off"},
    }


def routes(context: Context, created: str) -> list[Route]:
    """Return the routes of the workspace; `created` is the date at which its folder was made."""
    body = workspace_body(context, created)

    def show(_: Call) -> Reply:
        return Reply(200, body)

    def listing(call: Call) -> Reply:
        kind = call.query.get("kind")
        return page(call, InMemoryList([body] if kind in (None, "", body["kind"]) else []), context.origin)

    def discovery(_: Call) -> Reply:
        return Reply(200, dict.fromkeys(_SERVICES, context.origin))

    def subscription_body(_: Call) -> Reply:
        return Reply(200, _subscription(context))

    def subscriptions(call: Call) -> Reply:
        return page(call, InMemoryList([_subscription(context)]), context.origin)

    def tenants(call: Call) -> Reply:
        tenant = {"id": f"/tenants/{TENANT}", "tenantId": TENANT, "displayName": "amlocal", "tenantCategory": "Home"}
        return page(call, InMemoryList([tenant]), context.origin)

    subscription = f"/subscriptions/{context.identity.subscription}"
    return [
        Route("GET", context.arm, show, for_job=lambda *_: True),  # whose it is, and where runs are tracked
        Route("GET", "/subscriptions", subscriptions),  # these three are what `az login --identity` reads
        Route("GET", subscription, subscription_body),
        Route("GET", "/tenants", tenants),
        Route("GET", f"{context.identity.group_id}/providers/{PROVIDER}/workspaces", listing),
        Route("GET", f"{subscription}/providers/{PROVIDER}/workspaces", listing),
        Route("GET", "/discovery", discovery, auth="open", streaming=True),
    ]
