"""The routes that every kind of asset has: versions, containers, lists."""

import asyncio
from typing import Any

from amlocal.assets.store import AssetContainer, AssetStore
from amlocal.core.context import PROVIDER, Context, plain_name, system_data
from amlocal.core.documents import Document
from amlocal.core.http import Call, Reply, Route
from amlocal.core.paging import page, view_asked


class AssetRoutes:
    """Translates between the wire and one store of assets."""

    def __init__(self, context: Context, store: AssetStore) -> None:
        self._context = context
        self._store = store
        self._root = f"{context.arm}/{store.kind.collection}"

    def routes(self) -> list[Route]:
        """Return the kind's routes."""
        version = f"{self._root}/{{name}}/versions/{{version}}"
        return [
            Route("GET", version, self._show),
            Route("PUT", version, self._put),
            Route("DELETE", version, self._delete),
            Route("GET", f"{self._root}/{{name}}/versions", self._versions),
            Route("GET", f"{self._root}/{{name}}", self._show_container),
            Route("PUT", f"{self._root}/{{name}}", self._put_container),
            Route("GET", self._root, self._containers),
        ]

    def body(self, document: Document) -> dict[str, Any]:
        """Return a version as the wire has it."""
        stored = document.body
        return {
            "id": f"{self._root}/{document.name}/versions/{document.version}",
            "name": document.version,
            "type": f"{PROVIDER}/workspaces/{self._store.kind.collection}/versions",
            "properties": stored["properties"],
            "systemData": system_data(stored["created"], stored["modified"]),
        }

    def _container_body(self, container: AssetContainer) -> dict[str, Any]:
        document, latest = container.document, container.latest
        stored = document.body
        properties = {
            "description": stored["description"],
            "tags": stored["tags"],
            "properties": stored["properties"],
            "isArchived": stored["isArchived"],
            "latestVersion": latest.version if latest else None,
            "nextVersion": container.next_version,
        } | self._store.kind.container(latest.body["properties"] if latest else {})
        modified = stored["modified"] if self._store.kind.shows_editor else None
        return {
            "id": f"{self._root}/{document.name}",
            "name": document.name,
            "type": f"{PROVIDER}/workspaces/{self._store.kind.collection}",
            "properties": properties,
            "systemData": system_data(stored["created"], modified),
        }

    def _show(self, call: Call) -> Reply:
        return Reply(200, self.body(self._store.get(plain_name(call.path["name"]), call.path["version"])))

    async def _put(self, call: Call) -> Reply:
        given = plain_name(call.path["name"]), call.path["version"], call.properties()
        put = self._store.put
        document, created = await asyncio.to_thread(put, *given) if self._store.kind.slow else put(*given)
        status = 201 if created else self._store.kind.repeat_status
        return Reply(status, self.body(document), {"Location": call.url} if status == 201 else {})

    def _delete(self, call: Call) -> Reply:
        return Reply(200 if self._store.delete(plain_name(call.path["name"]), call.path["version"]) else 204)

    def _versions(self, call: Call) -> Reply:
        shown = self._store.versions(plain_name(call.path["name"]), view_asked(call), call.query)
        return page(call, shown, self._context.origin, show=self.body)

    def _show_container(self, call: Call) -> Reply:
        return Reply(200, self._summed_up(self._store.get_container(plain_name(call.path["name"]))))

    def _put_container(self, call: Call) -> Reply:
        return Reply(200, self._summed_up(self._store.put_container(plain_name(call.path["name"]), call.properties())))

    def _containers(self, call: Call) -> Reply:
        return page(call, self._store.containers(view_asked(call)), self._context.origin, show=self._container_body)

    def _summed_up(self, document: Document) -> dict[str, Any]:
        return self._container_body(self._store.summed_up([document])[0])
