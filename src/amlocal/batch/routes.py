"""The routes of batch endpoints: ARM's, and the data plane with the scoring URI and the lists of jobs.

Nothing runs between calls, so every operation ends at once.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from amlocal.batch.deployments import DeploymentRules
from amlocal.batch.invoker import Invoker
from amlocal.batch.store import BatchStore
from amlocal.batch.views import call_view, deployment_view, endpoint_view
from amlocal.core.context import Context
from amlocal.core.documents import Document
from amlocal.core.http import Call, Json, Reply, Route
from amlocal.core.operations import Operations
from amlocal.core.paging import page
from amlocal.jobs.store import JobStore


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
        return page(call, self._store.endpoints(), self._context.origin, show=self._endpoint)

    def _show_endpoint(self, call: Call) -> Reply:
        return Reply(200, self._endpoint(self._store.endpoint(call.path["endpoint"])))

    def _put_endpoint(self, call: Call) -> Reply:
        name, sent = call.path["endpoint"], call.object()
        state = "Updating" if self._store.find_endpoint(name) else "Creating"
        version = call.query.get("api-version", "")
        with self._operation("be") as operation:
            document = self._store.put_endpoint(name, sent, operation=operation, api_version=version)
        return self._written(operation, self._endpoint(document, state=state))

    def _delete_endpoint(self, call: Call) -> Reply:
        return self._deleted("be", existed=self._store.delete_endpoint(call.path["endpoint"]))

    def _list_deployments(self, call: Call) -> Reply:
        rows = self._store.deployments(call.path["endpoint"])
        return page(call, rows, self._context.origin, show=self._deployment)

    def _show_deployment(self, call: Call) -> Reply:
        document = self._store.deployment(call.path["endpoint"], call.path["deployment"])
        return Reply(200, self._deployment(document))

    async def _put_deployment(self, call: Call) -> Reply:
        endpoint, name = self._store.endpoint(call.path["endpoint"]).name, call.path["deployment"]
        # In a thread: the requirements of a model are YAML of anyone's making.
        properties = await asyncio.to_thread(self._rules.accept, call.properties())
        with self._operation("bd") as operation:
            document = self._store.put_deployment(endpoint, name, properties, call.object(), operation=operation)
        return self._written(operation, self._deployment(document, state="Updating"))

    def _delete_deployment(self, call: Call) -> Reply:
        existed = self._store.delete_deployment(call.path["endpoint"], call.path["deployment"])
        return self._deleted("bd", existed=existed)

    def _endpoint(self, document: Document, *, state: str = "Succeeded") -> Json:
        return endpoint_view(self._context, document, self._uri_of(document), state=state)

    def _deployment(self, document: Document, *, state: str = "Succeeded") -> Json:
        return deployment_view(self._context, document, self._uri_of(document), state=state)

    def _uri_of(self, document: Document) -> str:
        return self._operations.status_url(document.body["operation"])

    @contextmanager
    def _operation(self, prefix: str) -> Iterator[str]:
        """Yield an operation that has ended well when the body has; when it raises there is none."""
        with self._context.documents.transaction():
            operation = self._operations.start(prefix, status="Updating")
            yield operation
            self._operations.finish(operation)

    def _written(self, operation: str, body: Json) -> Reply:
        """Return the answer to a PUT: 201 for an update too, and where to follow the operation."""
        return Reply(201, body, self._headers(operation, f"{self._context.origin}{body['id']}"))

    def _deleted(self, prefix: str, *, existed: bool) -> Reply:
        if not existed:
            return Reply(204)
        with self._operation(prefix) as operation:
            pass  # what it was about is done
        location = self._operations.status_url(operation, segment="mfeOperationResults")
        return Reply(202, b"null", self._headers(operation, location))

    def _headers(self, operation: str, location: str) -> dict[str, str]:
        timeout = {"x-ms-async-operation-timeout": "PT30M"}
        return self._operations.headers(operation) | {"Location": location} | timeout


class CallRoutes:
    """Invoke, and list what was invoked."""

    def __init__(self, context: Context, invoker: Invoker, jobs: JobStore) -> None:
        self._context = context
        self._invoker = invoker
        self._jobs = jobs

    def routes(self) -> list[Route]:
        """Return the routes."""
        endpoint = f"/mferp/managementfrontend{self._context.arm}/batchEndpoints/{{endpoint}}"
        return [
            Route("POST", "/batch/{endpoint}/jobs", self._invoke),
            Route("GET", f"{endpoint}/jobs", self._list),
            Route("GET", f"{endpoint}/deployments/{{deployment}}/jobs", self._list),
        ]

    def _invoke(self, call: Call) -> Reply:
        record = self._invoker.invoke(
            call.path["endpoint"],
            call.headers.get("azureml-model-deployment"),
            call.headers.get("repeatability_request-id"),
            call.properties(),
        )
        body = self._show((record, self._jobs.get(record.name)))
        headers = {
            "Location": f"{self._context.origin}{body['id']}?api-version=2020-09-01-dataplanepreview",
            "azureml-model-deployment": record.body["deployment"],
            "X-Request-ID": self._context.ids(),
        }
        return Reply(201, body, headers)

    def _list(self, call: Call) -> Reply:
        records = self._invoker.calls(call.path["endpoint"], call.path.get("deployment"))
        return page(call, records, self._context.origin, show=self._show)

    def _show(self, call: tuple[Document, Document]) -> Json:
        return call_view(self._context, *call)
