"""Jobs as Azure Resource Manager shows them."""

from collections.abc import Callable
from typing import Any

from amlocal.core.context import PROVIDER, USER, Context
from amlocal.core.documents import Document
from amlocal.core.errors import BadRequest
from amlocal.core.http import Call, Reply, Route, own_name
from amlocal.core.operations import POLL_SOON
from amlocal.core.paging import page, view_asked
from amlocal.jobs.runner import JobQueue
from amlocal.jobs.status import Status
from amlocal.jobs.store import JobStore, step_of
from amlocal.jobs.submission import AcceptJob


class JobRoutes:
    """Create, get, list, cancel, delete. `forget` removes what a job left in storage."""

    def __init__(
        self, context: Context, store: JobStore, queue: JobQueue, accept: AcceptJob, forget: Callable[[str], None]
    ) -> None:
        self._context = context
        self._store = store
        self._queue = queue
        self._accept = accept
        self._forget = forget
        identity = context.identity
        self._results = (
            f"/subscriptions/{identity.subscription}/providers/{PROVIDER}/locations/{identity.location}"
            "/mfeOperationResults"
        )

    def routes(self) -> list[Route]:
        """Return the routes."""
        one = f"{self._context.arm}/jobs/{{name}}"
        return [
            Route("GET", one, self._show, for_job=own_name),
            Route("PUT", one, self._put),
            Route("DELETE", one, self._delete),
            Route("POST", f"{one}/cancel", self._cancel),
            Route("GET", f"{self._context.arm}/jobs", self._listing),
            Route("GET", f"{self._results}/{{operation}}", self._result),
        ]

    def _body(self, document: Document) -> dict[str, Any]:
        stored = document.body
        return {
            "id": f"{self._context.arm}/jobs/{document.name}",
            "name": document.name,
            "type": f"{PROVIDER}/workspaces/jobs",
            "properties": stored["properties"] | {"status": stored["status"]},
            "systemData": {
                "createdAt": stored["created"],
                "createdBy": USER,
                "createdByType": "User",
            },
        }

    def _show(self, call: Call) -> Reply:
        return Reply(200, self._body(self._store.get(call.path["name"])))

    def _put(self, call: Call) -> Reply:
        name = call.path["name"]
        sent = call.object().get("properties")
        if not isinstance(sent, dict):
            raise BadRequest("The job has no properties.")
        properties = self._accept(name, sent)
        known = self._store.find(name)
        if known is not None:
            return Reply(200, self._body(self._store.resubmit(known, properties)))
        document = self._store.create(name, properties)
        self._queue.submit(document)
        return Reply(201, self._body(document), {"Location": call.url})

    def _delete(self, call: Call) -> Reply:
        found = self._store.find(call.path["name"])
        if found is None:
            return Reply(204)
        if not Status(found.body["status"]).ended:
            raise BadRequest(f"Job {found.name} has not ended; cancel it before deleting it.")
        # The document last: a job that is half gone after a kill can be deleted again.
        for name in (step_of(found), found.name):
            if name is not None:
                self._forget(name)
                self._store.delete(name)
        return Reply(200)

    def _cancel(self, call: Call) -> Reply:
        document = self._store.get(call.path["name"])
        self._queue.cancel(document.name)
        location = (
            f"{self._context.origin}{self._results}/jc:{self._context.identity.guid}:{document.name}"
            "?api-version=2023-04-01-preview"
        )
        headers = {"Location": location, "x-ms-async-operation-timeout": "PT1H", **POLL_SOON}
        return Reply(202, b"null", headers)

    def _result(self, call: Call) -> Reply:
        job = call.path["operation"].rpartition(":")[2]
        if self._store.status(job).ended:
            return Reply(200)
        return Reply(202, {}, {"Location": call.url, **POLL_SOON})

    def _listing(self, call: Call) -> Reply:
        rows = self._store.listed(view_asked(call), tag=call.query.get("tag", ""), kind=call.query.get("jobType", ""))
        return page(call, rows, self._context.origin, show=self._body)
