"""The data plane of batch endpoints: the scoring URI, and the lists of jobs."""

from amlocal.batch.invoking import Invoker
from amlocal.batch.views import call_view
from amlocal.core.context import Context
from amlocal.core.documents import Document
from amlocal.core.http import Call, Json, Reply, Route
from amlocal.core.paging import page
from amlocal.jobs.store import JobStore


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
