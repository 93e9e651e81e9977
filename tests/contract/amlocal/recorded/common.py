"""What many answers of Azure have in common."""

from typing import Any

from tests.contract.amlocal.recorded.vocabulary import ARM, BOOL, DATE, STR, TEXTS, Maybe, Shape, Template

PROVIDER = "Microsoft.MachineLearningServices"
CREATED = {"createdAt": DATE, "createdBy": STR, "createdByType": "User"}
NEVER_UPDATED = CREATED | {"lastModifiedAt": DATE}
UPDATED = NEVER_UPDATED | {"lastModifiedBy": STR, "lastModifiedByType": "User"}
BY_SERVICE = {key: "Application" if key.endswith("Type") else kind for key, kind in UPDATED.items()}

ASSET = {"description": Maybe(STR), "tags": TEXTS, "properties": TEXTS, "isArchived": BOOL, "isAnonymous": BOOL}
CONTAINER = {
    "description": None, "tags": TEXTS, "properties": TEXTS, "isArchived": BOOL,
    "latestVersion": STR, "nextVersion": STR,
}  # fmt: skip


def resource(kind: str, properties: Shape, system_data: Shape = UPDATED) -> dict[str, Any]:
    """Return the shape of a resource below the workspace."""
    return {
        "id": ARM,
        "name": STR,
        "type": f"{PROVIDER}/workspaces/{kind}",
        "properties": properties,
        "systemData": system_data,
    }


def datastore_uri(*, group: str, tail: str = "") -> Template:
    """Return the long form of a datastore URI; `group` is how the service spells that segment."""
    return Template(f"azureml://subscriptions/{{s}}/{group}/{{g}}/workspaces/{{w}}/datastores/{{d}}/paths/{{p}}{tail}")


def error(message: str, *, code: str = "UserError", details: Shape = None, inner: bool = True) -> dict[str, Any]:
    """Return the shape of the front end's error envelope. `inner`: with an InnerError."""
    info: list[Shape] = [
        {"type": "ComponentName", "info": {"value": "managementfrontend"}},
        {"type": "Correlation", "info": {"value": {"operation": STR, "request": STR}}},
        {"type": "Environment", "info": {"value": STR}},
        {"type": "Location", "info": {"value": STR}},
        {"type": "Time", "info": {"value": DATE}},
    ]
    if inner:
        info.append({"type": "InnerError", "info": {"value": {"code": "NotFoundError", "innerError": None}}})
    return {
        "error": {"code": code, "message": Template(message), "details": details or (), "additionalInfo": tuple(info)}
    }
