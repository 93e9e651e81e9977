"""Long-running operations: their status documents and the headers that lead a poller to them."""

from typing import Any

from amlocal.core.context import PROVIDER, Context
from amlocal.core.errors import NotFound
from amlocal.core.http import Call, Reply, Route

_KIND = "operation"
_ENDED = ("Succeeded", "Failed", "Canceled")
# Pollers of the SDK wait 5 or 30 s unless the service says otherwise; Azure says nothing, a local workspace is quick.
POLL_SOON = {"x-ms-retry-after-ms": "200"}


class Operations:
    """Starts, finishes and shows operations; they are kept, so that a poller survives a restart of the server."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._root = (
            f"/subscriptions/{context.identity.subscription}/providers/{PROVIDER}/locations/{context.identity.location}"
        )

    def start(self, prefix: str, *, status: str = "InProgress") -> str:
        """Begin an operation and return its id; `prefix` is Azure's two letters for what it works on (`od`, `jc`)."""
        operation = f"{prefix}:{self._context.identity.guid}:{self._context.ids()}"
        body = {"status": status, "startTime": self._context.now()}
        self._context.documents.put(_KIND, operation, body)
        return operation

    def finish(self, operation: str, *, error: dict[str, Any] | None = None) -> None:
        """End an operation, well or with the error that its poller shall raise."""
        known = self._context.documents.get(_KIND, operation)
        body = dict(known.body) if known else {}
        body |= {"status": "Failed" if error else "Succeeded", "endTime": self._context.now()}
        if error:
            body["error"] = error
        self._context.documents.put(_KIND, operation, body)

    def status_url(self, operation: str, *, segment: str = "mfeOperationsStatus") -> str:
        """Return the absolute URL of an operation's status."""
        return f"{self._context.origin}{self._root}/{segment}/{operation}?api-version=2023-04-01-preview"

    def headers(self, operation: str, *, segment: str = "mfeOperationsStatus") -> dict[str, str]:
        """Return what the first answer of an operation carries."""
        return {"Azure-AsyncOperation": self.status_url(operation, segment=segment), **POLL_SOON}

    def routes(self) -> list[Route]:
        """The status routes: both kinds answer the same document, the compute one with Azure's two keys only.

        The results of endpoints and deployments are what the `Location` of a DELETE leads to (a job's are its own).
        """
        results = (f"{self._root}/mfeOperationResults/{prefix}:{{rest}}" for prefix in ("oe", "od", "be", "bd"))
        return [
            *(Route("GET", path, self._result) for path in results),
            Route("GET", f"{self._root}/mfeOperationsStatus/{{operation}}", self._status),
            Route("GET", f"{self._root}/computeOperationsStatus/{{operation}}", self._brief_status),
        ]

    def _find(self, name: str) -> dict[str, Any]:
        found = self._context.documents.get(_KIND, name)
        if found is None:
            raise NotFound(f"There is no operation {name}.")
        return dict(found.body)

    def _status(self, call: Call) -> Reply:
        body = self._find(call.path["operation"])
        done = body["status"] in _ENDED
        name = call.path["operation"]
        answer = {"id": f"{self._root}/mfeOperationsStatus/{name}", "name": name, **body}
        return Reply(200, answer | {"percentComplete": 100.0 if done else 0.0}, {} if done else POLL_SOON)

    def _result(self, call: Call) -> Reply:
        name = call.url.partition("?")[0].rpartition("/")[2]
        if self._find(name)["status"] in _ENDED:
            return Reply(200)
        return Reply(202, {}, {"Location": call.url, **POLL_SOON})

    def _brief_status(self, call: Call) -> Reply:
        body = self._find(call.path["operation"])
        if body["status"] == "InProgress":
            return Reply(200, {"status": "InProgress"}, POLL_SOON)
        return Reply(200, {key: body[key] for key in ("status", "error") if key in body} | {"percentComplete": 100.0})
