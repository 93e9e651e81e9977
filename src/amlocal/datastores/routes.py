"""The datastore routes."""

from collections.abc import Callable
from typing import Any

from amlocal.core.context import PROVIDER, Context
from amlocal.core.documents import Document
from amlocal.core.errors import BadRequest
from amlocal.core.http import Call, Reply, Route
from amlocal.core.paging import page
from amlocal.core.wire import system_data
from amlocal.datastores.store import Datastores, is_local

_UNSTORED = {"Cache-Control": "no-store"}

MakeSas = Callable[[str], str]  # container -> SAS token, without the question mark


def routes(
    context: Context, datastores: Datastores, *, key: str, make_sas: MakeSas, create_container: Callable[[str], None]
) -> list[Route]:
    """Return the datastore routes; `key` is the storage account's, `make_sas` signs for one container."""

    def body(document: Document) -> dict[str, Any]:
        created = document.body["created"]
        return {
            "id": f"{context.arm}/datastores/{document.name}",
            "name": document.name,
            "type": f"{PROVIDER}/workspaces/datastores",
            "properties": datastores.properties(document),
            "systemData": system_data(created, created, kind="Application"),
        }

    def show(call: Call) -> Reply:
        return Reply(200, body(datastores.get(call.path["name"])))

    def listing(call: Call) -> Reply:
        wanted = call.query.get("isDefault", "").lower()
        shown = datastores.list(default=wanted == "true" if wanted else None)
        return page(call, shown, context.origin, show=body)

    def put(call: Call) -> Reply:
        properties = call.properties()
        with context.documents.transaction():  # a container that cannot be made leaves no datastore without one
            document, created = datastores.put(call.path["name"], properties)
            if is_local(document):
                create_container(document.body["properties"]["containerName"])
        return Reply(201 if created else 200, body(document), {"Location": call.url} if created else {})

    def secrets(call: Call) -> Reply:
        document = datastores.get(call.path["name"])
        return Reply(200, _secrets(document) if not is_local(document) else local_secrets(document), _UNSTORED)

    def local_secrets(document: Document) -> dict[str, Any]:
        properties = document.body["properties"]
        if properties["credentials"]["credentialsType"] == "AccountKey":
            return {"secretsType": "AccountKey", "key": key}
        return {"secretsType": "Sas", "sasToken": make_sas(properties["containerName"])}

    def delete(call: Call) -> Reply:
        return Reply(200 if datastores.delete(call.path["name"]) else 204)

    one = f"{context.arm}/datastores/{{name}}"
    return [
        Route("GET", one, show, for_job=lambda *_: True),  # what it is called in storage: no secret, no content
        Route("PUT", one, put),
        Route("DELETE", one, delete),
        Route("POST", f"{one}/listSecrets", secrets),
        Route("GET", f"{context.arm}/datastores", listing),
    ]


def _secrets(document: Document) -> dict[str, Any]:
    """Return what was sent with a datastore of other storage. Raises `BadRequest` when nothing was."""
    secrets: dict[str, Any] = document.body["secrets"]
    if not secrets:
        raise BadRequest(f"Datastore {document.name} has no credentials, and so no secrets.")
    return secrets
