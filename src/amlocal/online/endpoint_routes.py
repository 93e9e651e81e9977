"""The routes of online endpoints in Azure Resource Manager."""

from typing import Any

from amlocal.core.decoding import mapping, text, texts
from amlocal.core.documents import Document
from amlocal.core.errors import BadRequest, Conflict
from amlocal.core.http import Call, Reply, Route
from amlocal.core.limits import arm_tags
from amlocal.core.paging import page
from amlocal.core.unserved import not_served
from amlocal.online.operation_responses import OperationResponses
from amlocal.online.router import EndpointAuth, auth_mode, new_keys
from amlocal.online.rules import check_mirror, check_name, check_traffic

# What an answer holds and the SDK sends back with an update; it is no property of the user's.
_ECHOED = {"AzureAsyncOperationUri", "azureml.onlineendpointid", "createdBy", "createdAt", "lastModifiedAt"}


class EndpointRoutes:
    """Create, read, update, delete; keys and tokens."""

    def __init__(self, responses: OperationResponses, auth: EndpointAuth) -> None:
        self._responses = responses
        self._store = responses.store
        self._bodies = responses.bodies
        self._auth = auth

    def routes(self) -> list[Route]:
        """Return the routes."""
        one = f"{self._bodies.root}/{{name}}"
        return [
            Route("GET", one, self._show),
            Route("PUT", one, self._put),
            Route("PATCH", one, self._patch),
            Route("DELETE", one, self._delete),
            Route("GET", self._bodies.root, self._list),
            Route("POST", f"{one}/listKeys", self._keys),
            Route("POST", f"{one}/token", self._token),
            Route("POST", f"{one}/regenerateKeys", self._regenerate),
        ]

    def _show(self, call: Call) -> Reply:
        return Reply(200, self._bodies.endpoint(self._store.endpoint(call.path["name"])))

    def _list(self, call: Call) -> Reply:
        return page(call, self._store.endpoints(), self._responses.context.origin, show=self._bodies.endpoint)

    def _put(self, call: Call) -> Reply:
        name = check_name(call.path["name"], "endpoint")
        known = self._store.find_endpoint(name)
        body = self._accept(name, call.object(), known)
        operation = self._responses.operations.start("oe", status="Updating")
        document = self._store.put_endpoint(name, body | {"operation": operation, "state": "Succeeded"})
        # The first answer is still of the old one, as Azure's: what changed shows when the operation has ended.
        shown = self._bodies.endpoint(document)
        shown["properties"]["provisioningState"] = "Updating" if known else "Creating"
        shown["properties"] |= (
            {key: known.body[key] for key in ("traffic", "mirrorTraffic")}
            if known
            else {"scoringUri": None, "swaggerUri": None}
        )
        self._responses.operations.finish(operation)
        return self._responses.written(operation, shown)

    def _patch(self, call: Call) -> Reply:
        """Change the tags alone (`OnlineEndpoints_Update` of Azure's REST reference); its traffic stays as it is."""
        known = self._store.endpoint(call.path["name"])
        sent = call.object()
        if unknown := sorted(set(sent) - {"tags", "identity"}):
            raise BadRequest(f"An update of endpoint {known.name} takes tags and identity, not {unknown[0]!r}.")
        operation = self._responses.operations.start("oe", status="Updating")
        tags = texts(sent, "tags") if "tags" in sent else known.body["tags"]
        document = self._store.put_endpoint(known.name, {**known.body, "tags": tags, "operation": operation})
        self._responses.operations.finish(operation)
        return self._responses.patched(operation, self._bodies.endpoint(document))

    def _accept(self, name: str, sent: dict[str, Any], known: Document | None) -> dict[str, Any]:
        given = mapping(sent, "properties")
        if text(given, "compute"):
            raise not_served("Kubernetes online endpoints", "leave compute out for a managed one")
        mode = auth_mode(text(given, "authMode"))
        if known and known.body["authMode"] != mode:
            raise BadRequest(f"The authMode of endpoint {name} is {known.body['authMode']} and cannot be changed.")
        ready = {document.version for document in self._store.deployments(name).all() if document.body["serving"]}
        traffic = check_traffic(mapping(given, "traffic"), ready)
        return {
            "authMode": mode,
            "keys": known.body["keys"] if known else new_keys(),
            "description": text(given, "description"),
            "access": text(given, "publicNetworkAccess") or "Enabled",
            "tags": arm_tags(sent),
            "properties": {key: value for key, value in texts(given, "properties").items() if key not in _ECHOED},
            "traffic": traffic,
            "mirrorTraffic": check_mirror(mapping(given, "mirrorTraffic"), traffic, ready),
        }

    def _delete(self, call: Call) -> Reply:
        name = call.path["name"]
        document = self._store.find_endpoint(name)
        if document is None:
            return Reply(204)
        for deployment in self._store.deployments(name).all():
            self._responses.rollouts.end(deployment)
        self._store.delete_endpoint(name)
        return self._responses.deleted("oe")

    def _keys(self, call: Call) -> Reply:
        document = self._store.endpoint(call.path["name"])
        if document.body["authMode"] != "Key":
            raise BadRequest(f"Endpoint {document.name} has no keys: its authMode is {document.body['authMode']}.")
        return Reply(200, document.body["keys"], {"Cache-Control": "no-store"})

    def _token(self, call: Call) -> Reply:
        document = self._store.endpoint(call.path["name"])
        if document.body["authMode"] != "AMLToken":
            raise BadRequest(f"Endpoint {document.name} has no tokens: its authMode is {document.body['authMode']}.")
        return Reply(200, self._auth.token(document.name), {"Cache-Control": "no-store"})

    def _regenerate(self, call: Call) -> Reply:
        document = self._store.endpoint(call.path["name"])
        kind = text(call.object(), "keyType")
        if document.body["authMode"] != "Key":
            raise Conflict(f"Endpoint {document.name} has no keys: its authMode is {document.body['authMode']}.")
        if kind not in ("Primary", "Secondary"):
            raise BadRequest(f"The keyType is Primary or Secondary, not {kind!r}.")
        key = f"{kind.lower()}Key"
        keys = {**document.body["keys"], key: new_keys()[key]}
        self._store.put_endpoint(document.name, {**document.body, "keys": keys})
        return Reply(200)
