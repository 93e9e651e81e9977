"""The routes of online deployments in Azure Resource Manager."""

from collections.abc import Mapping
from typing import Any

from amlocal.core.decoding import count, flag, mapping, seconds, text, texts
from amlocal.core.errors import BadRequest, Conflict
from amlocal.core.http import Call, Reply, Route
from amlocal.core.limits import arm_tags
from amlocal.core.paging import page
from amlocal.core.unserved import not_served
from amlocal.online.deployment_build import DeploymentBuilder
from amlocal.online.deployment_manager import INITIALIZER, SERVER, DeploymentManager
from amlocal.online.operation_responses import OperationResponses, with_defaults
from amlocal.online.rules import MAX_TIMEOUT_S, check_instances, check_name, check_room

_DEFAULT_LINES = 50


class DeploymentRoutes:
    """Create, read, update, delete; logs."""

    def __init__(self, responses: OperationResponses, builder: DeploymentBuilder, manager: DeploymentManager) -> None:
        self._responses = responses
        self._store = responses.store
        self._bodies = responses.bodies
        self._builder = builder
        self._manager = manager

    def routes(self) -> list[Route]:
        """Return the routes."""
        root = f"{self._bodies.root}/{{endpoint}}/deployments"
        one = f"{root}/{{name}}"
        return [
            Route("GET", one, self._show),
            Route("PUT", one, self._put),
            Route("DELETE", one, self._delete),
            Route("GET", root, self._list),
            Route("POST", f"{one}/getLogs", self._logs),
        ]

    def _show(self, call: Call) -> Reply:
        return Reply(200, self._bodies.deployment(self._store.deployment(call.path["endpoint"], call.path["name"])))

    def _list(self, call: Call) -> Reply:
        endpoint = self._store.endpoint(call.path["endpoint"])
        documents = self._store.deployments(endpoint.name)
        return page(call, documents, self._responses.context.origin, show=self._bodies.deployment)

    def _put(self, call: Call) -> Reply:
        endpoint = self._store.endpoint(call.path["endpoint"])
        name = check_name(call.path["name"], "deployment")
        known = self._store.find_deployment(endpoint.name, name)
        if known and known.body["state"] == "Updating":
            raise Conflict(
                f"Cannot update deployment {name} in endpoint {endpoint.name} because it is in Updating provisioning "
                "state."
            )
        if known is None:
            check_room(len(self._store.deployments(endpoint.name).all()))
        sent = call.object()
        capacity = mapping(sent, "sku").get("capacity")
        properties = _accept(mapping(sent, "properties"))
        check_instances(1 if capacity is None else capacity, properties["instanceType"])
        self._builder.check(properties)
        changes = {
            "tags": arm_tags(sent),
            "properties": properties,
            "capacity": capacity or 1,
            "state": "Updating",
        }
        operation = self._responses.rollouts.begin(self._store.put_deployment(endpoint.name, name, changes))
        shown = self._bodies.deployment(self._store.deployment(endpoint.name, name))
        if known is None:
            # As on Azure, which fills these in when the deployment is ready.
            requests = shown["properties"]["requestSettings"] | {"requestTimeout": "PT0S"}
            shown["properties"] |= {"livenessProbe": None, "readinessProbe": None, "requestSettings": requests}
        return self._responses.written(operation, shown)

    def _delete(self, call: Call) -> Reply:
        endpoint, name = call.path["endpoint"].lower(), call.path["name"].lower()
        holder = self._store.endpoint(endpoint)
        document = self._store.find_deployment(endpoint, name)
        if document is None:
            return Reply(204)
        for key in ("traffic", "mirrorTraffic"):
            if share := holder.body[key].get(name):
                raise BadRequest(
                    f"Cannot delete deployment {name} of endpoint {endpoint}: it has {share} percent of the {key}. "
                    "Set that to 0 first."
                )
        self._responses.rollouts.end(document)
        self._store.delete_deployment(endpoint, name)
        return self._responses.deleted("od")

    def _logs(self, call: Call) -> Reply:
        document = self._store.deployment(call.path["endpoint"], call.path["name"])
        sent = call.object()
        container = text(sent, "containerType") or SERVER
        if container not in (SERVER, INITIALIZER):
            raise BadRequest(f"The containerType is {SERVER} or {INITIALIZER}, not {container!r}.")
        log = self._manager.log((document.name, document.version), container)
        return Reply(200, {"content": log.tail(count(sent, "tail", default=_DEFAULT_LINES))})


def _accept(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of a deployment as they are kept. Raises `BadRequest`."""
    kind = text(given, "endpointComputeType") or "Managed"
    if kind == "Kubernetes":
        raise not_served("Kubernetes online deployments", "managed ones are")
    if kind != "Managed":
        raise BadRequest(f"The endpointComputeType is Managed or Kubernetes, not {kind!r}.")
    code = mapping(given, "codeConfiguration")
    settings = ("requestSettings", "livenessProbe", "readinessProbe", "scaleSettings")
    properties = with_defaults({**given, **{key: mapping(given, key) for key in settings}}) | {
        "description": text(given, "description"),
        "properties": {
            key: value for key, value in texts(given, "properties").items() if key != "AzureAsyncOperationUri"
        },
        "codeConfiguration": {key: _required(code, key) for key in ("codeId", "scoringScript")} if code else None,
        "environmentId": text(given, "environmentId"),
        "environmentVariables": texts(given, "environmentVariables"),
        "appInsightsEnabled": flag(given, "appInsightsEnabled"),
        "model": text(given, "model"),
    }
    _check_settings(properties)
    return properties


def _check_settings(properties: Mapping[str, Any]) -> None:
    requests = properties["requestSettings"]
    if count(requests, "maxConcurrentRequestsPerInstance", default=1) < 1:
        raise BadRequest("maxConcurrentRequestsPerInstance must be at least 1.")
    seconds(requests["maxQueueWait"])  # on managed endpoints it does nothing any more, but must be one
    if not 0 < seconds(requests["requestTimeout"]) <= MAX_TIMEOUT_S:
        raise BadRequest(f"The requestTimeout must be over 0 and at most {MAX_TIMEOUT_S:.0f} s.")
    for probe in ("livenessProbe", "readinessProbe"):
        for key in ("failureThreshold", "successThreshold"):
            if count(properties[probe], key, default=1) < 1:
                raise BadRequest(f"{key} of the {probe} must be at least 1.")
        for key in ("initialDelay", "period", "timeout"):
            if seconds(properties[probe][key]) < 1:
                raise BadRequest(f"{key} of the {probe} must be at least 1 s.")


def _required(given: Mapping[str, Any], key: str) -> str:
    found = text(given, key)
    if found is None:
        raise BadRequest(f"The code configuration has no {key}.")
    return found
