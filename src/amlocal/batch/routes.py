"""The ARM face of batch endpoints and deployments. Nothing runs between calls, so every operation ends at once."""

from amlocal.batch.deployments import DeploymentRules
from amlocal.batch.store import BatchStore
from amlocal.batch.views import deployment_view, endpoint_view
from amlocal.core.context import Context
from amlocal.core.http import Call, Json, Reply, Route
from amlocal.core.operations import Operations
from amlocal.core.paging import page


class BatchRoutes:
    """Create or update, get, list, delete of both."""

    def __init__(self, context: Context, store: BatchStore, rules: DeploymentRules, operations: Operations) -> None:
        self._context = context
        self._store = store
        self._rules = rules
        self._operations = operations

    def routes(self) -> list[Route]:
        """Return the routes."""
        endpoints = f"{self._context.arm}/batchEndpoints"
        endpoint = f"{endpoints}/{{endpoint}}"
        deployment = f"{endpoint}/deployments/{{deployment}}"
        return [
            Route("GET", endpoints, self._list_endpoints),
            Route("GET", endpoint, self._show_endpoint),
            Route("PUT", endpoint, self._put_endpoint),
            Route("DELETE", endpoint, self._delete_endpoint),
            Route("GET", f"{endpoint}/deployments", self._list_deployments),
            Route("GET", deployment, self._show_deployment),
            Route("PUT", deployment, self._put_deployment),
            Route("DELETE", deployment, self._delete_deployment),
        ]

    def _list_endpoints(self, call: Call) -> Reply:
        return page(
            call, self._store.endpoints(), self._context.origin, show=lambda row: endpoint_view(self._context, row)
        )

    def _show_endpoint(self, call: Call) -> Reply:
        return Reply(200, endpoint_view(self._context, self._store.endpoint(call.path["endpoint"])))

    def _put_endpoint(self, call: Call) -> Reply:
        document = self._store.put_endpoint(call.path["endpoint"], call.object())
        return self._began("be", 201, endpoint_view(self._context, document, state="Creating"))

    def _delete_endpoint(self, call: Call) -> Reply:
        return self._deleted("be", self._store.delete_endpoint(call.path["endpoint"]))

    def _list_deployments(self, call: Call) -> Reply:
        rows = self._store.deployments(call.path["endpoint"])
        return page(call, rows, self._context.origin, show=lambda row: deployment_view(self._context, row))

    def _show_deployment(self, call: Call) -> Reply:
        document = self._store.deployment(call.path["endpoint"], call.path["deployment"])
        return Reply(200, deployment_view(self._context, document))

    def _put_deployment(self, call: Call) -> Reply:
        endpoint, name = self._store.endpoint(call.path["endpoint"]).name, call.path["deployment"]
        properties = self._rules.accept(call.properties())
        document = self._store.put_deployment(endpoint, name, properties, call.object())
        return self._began("bd", 201, deployment_view(self._context, document, state="Updating"))

    def _delete_deployment(self, call: Call) -> Reply:
        return self._deleted("bd", self._store.delete_deployment(call.path["endpoint"], call.path["deployment"]))

    def _deleted(self, prefix: str, existed: bool) -> Reply:
        return self._began(prefix, 202, b"null") if existed else Reply(204)

    def _began(self, prefix: str, status: int, body: Json) -> Reply:
        operation = self._operations.start(prefix)
        self._operations.finish(operation)
        headers = {**self._operations.headers(operation), "x-ms-async-operation-timeout": "PT30M"}
        return Reply(status, body, headers)
