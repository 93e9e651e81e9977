"""The datastore routes."""

from collections.abc import Callable
from typing import Any

from amlocal.core.context import PROVIDER, Context, system_data
from amlocal.core.documents import Document
from amlocal.core.errors import BadRequest
from amlocal.core.http import Call, Reply, Route
from amlocal.core.paging import page
from amlocal.datastores.store import Datastores, is_local

_UNSTORED = {"Cache-Control": "no-store"}

MakeSas = Callable[[str], str]  # container -> SAS token, without the question mark


class DatastoreRoutes:
    """Create, read, delete, and the secrets; `key` is the storage account's, `make_sas` signs for one container."""

    def __init__(
        self,
        context: Context,
        datastores: Datastores,
        *,
        key: str,
        make_sas: MakeSas,
        create_container: Callable[[str], None],
    ) -> None:
        self._context = context
        self._datastores = datastores
        self._key = key
        self._make_sas = make_sas
        self._create_container = create_container

    def routes(self) -> list[Route]:
        """Return the routes."""
        one = f"{self._context.arm}/datastores/{{name}}"
        return [
            Route("GET", one, self._show, for_job=lambda *_: True),  # what it is called in storage: no secret
            Route("PUT", one, self._put),
            Route("DELETE", one, self._delete),
            Route("POST", f"{one}/listSecrets", self._list_secrets),
            Route("GET", f"{self._context.arm}/datastores", self._list),
        ]

    def _body(self, document: Document) -> dict[str, Any]:
        created = document.body["created"]
        return {
            "id": f"{self._context.arm}/datastores/{document.name}",
            "name": document.name,
            "type": f"{PROVIDER}/workspaces/datastores",
            "properties": self._datastores.properties(document),
            "systemData": system_data(created, created, kind="Application"),
        }

    def _show(self, call: Call) -> Reply:
        return Reply(200, self._body(self._datastores.get(call.path["name"])))

    def _list(self, call: Call) -> Reply:
        wanted = call.query.get("isDefault", "").lower()
        shown = self._datastores.list(default=wanted == "true" if wanted else None)
        return page(call, shown, self._context.origin, show=self._body)

    def _put(self, call: Call) -> Reply:
        properties = call.properties()
        with self._context.documents.transaction():  # a container that cannot be made leaves no datastore without one
            document, created = self._datastores.put(call.path["name"], properties)
            if is_local(document):
                self._create_container(document.body["properties"]["containerName"])
        return Reply(201 if created else 200, self._body(document), {"Location": call.url} if created else {})

    def _list_secrets(self, call: Call) -> Reply:
        document = self._datastores.get(call.path["name"])
        return Reply(200, self._local_secrets(document) if is_local(document) else _secrets(document), _UNSTORED)

    def _local_secrets(self, document: Document) -> dict[str, Any]:
        properties = document.body["properties"]
        if properties["credentials"]["credentialsType"] == "AccountKey":
            return {"secretsType": "AccountKey", "key": self._key}
        return {"secretsType": "Sas", "sasToken": self._make_sas(properties["containerName"])}

    def _delete(self, call: Call) -> Reply:
        return Reply(200 if self._datastores.delete(call.path["name"]) else 204)


def _secrets(document: Document) -> dict[str, Any]:
    """Return what was sent with a datastore of other storage. Raises `BadRequest` when nothing was."""
    secrets: dict[str, Any] = document.body["secrets"]
    if not secrets:
        raise BadRequest(f"Datastore {document.name} has no credentials, and so no secrets.")
    return secrets
