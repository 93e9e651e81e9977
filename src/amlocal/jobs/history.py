"""Run history: the face through which the SDK streams, updates and downloads jobs."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from amlocal.core.context import TENANT, Context
from amlocal.core.documents import Document
from amlocal.core.errors import NotFound
from amlocal.core.http import Call, Reply, Route
from amlocal.core.wire import from_azure_date
from amlocal.jobs.logs import JobLogs
from amlocal.jobs.outputs import JobOutputs
from amlocal.jobs.queue import compute_of
from amlocal.jobs.states import Status
from amlocal.jobs.store import JobStore

_PATCHED = {
    "displayName": "displayName", "description": "description", "tags": "tags",
    "properties": "properties", "hidden": "isArchived",
}  # fmt: skip
_JUST_ENDED = timedelta(seconds=30)
# What the SDK can download; the model types crash it (TypeError in its own request class), so they show as folders.
_FILE = "uri_file"


class HistoryRoutes:
    """The routes below `{api}/history/v1.0` and `{api}/data/v1.0`."""

    def __init__(
        self,
        context: Context,
        store: JobStore,
        outputs: JobOutputs,
        logs: JobLogs,
        sync_run: Callable[[str], None],
    ) -> None:
        self._context = context
        self._store = store
        self._outputs = outputs
        self._logs = logs
        self._sync_run = sync_run
        self._looked_at: set[str] = set()

    def routes(self) -> list[Route]:
        """Return the routes; runs are reached with and without their experiment."""
        history = f"/history/v1.0{self._context.arm}"
        table: list[Route] = []
        for middle in ("", "/experiments/{experiment}", "/experimentids/{experiment}"):
            run = f"{history}{middle}/runs/{{name}}"
            table += [
                Route("GET", run, self._show),
                Route("PATCH", run, self._patch),
                Route("GET", f"{run}/details", self._details),
                Route("GET", f"{run}/children", self._children),
                Route("GET", f"{run}/serviceinstances/{{node}}", self._service_instances),
            ]
        return [
            *table,
            Route("POST", f"{history}/rundata", self._run_data),
            Route("POST", f"/data/v1.0{self._context.arm}/dataversion/batchGetResolvedUris", self._resolve),
        ]

    def _show(self, call: Call) -> Reply:
        return Reply(200, self._run(self._store.get(call.path["name"])))

    def _patch(self, call: Call) -> Reply:
        body = call.object()
        changes = {kept: body[sent] for sent, kept in _PATCHED.items() if body.get(sent) is not None}
        document = self._store.change(call.path["name"], changes)
        self._sync_run(document.name)
        return Reply(200, self._run(document))

    def _details(self, call: Call) -> Reply:
        document = self._store.get(call.path["name"])
        return Reply(200, {
            "runId": document.name,
            "target": compute_of(document) or None,
            "status": self._shown_status(document),
            "startTimeUtc": document.body["started"],
            "endTimeUtc": document.body["ended"],
            "error": document.body["error"],
            "warnings": document.body["warnings"],
            "properties": document.body["properties"]["properties"],
            "inputDatasets": [],
            "outputDatasets": [],
            "logFiles": self._logs.urls(document.name),
            "submittedBy": "amlocal user",
        })  # fmt: skip

    def _shown_status(self, document: Document) -> Status:
        """Return the status for a stream of the log.

        The SDK prints no log of a job that has ended at its first look, which on Azure no job has. A local one may
        have, so the first look at a job that has just ended finds it `Finalizing`, and the next one as it is.
        """
        status, first = Status(document.body["status"]), document.name not in self._looked_at
        self._looked_at.add(document.name)
        if first and status.ended and document.body["ended"]:
            age = self._context.clock() - from_azure_date(document.body["ended"])
            return Status.FINALIZING if age < _JUST_ENDED else status
        return status

    def _children(self, call: Call) -> Reply:
        self._store.get(call.path["name"])
        rows = [
            self._run(document)
            for document in self._store.list()
            if document.body["properties"].get("parentJobName") == call.path["name"]
        ]
        return Reply(200, {"value": rows})

    def _service_instances(self, call: Call) -> Reply:
        self._store.get(call.path["name"])
        return Reply(200, {"instances": {}})

    def _run_data(self, call: Call) -> Reply:
        document = self._store.get(str(call.object().get("runId")))
        ended = Status(document.body["status"]).ended
        specs = document.body["properties"]["outputs"] if ended else {}
        outputs = {name: self._output(document.name, name, spec) for name, spec in specs.items()}
        outputs["default"] = self._output(document.name, "default", {"jobOutputType": "uri_folder"})
        metadata = self._run(document) | {"inputs": {}, "outputs": outputs}
        definition = {"JobType": "Command", "Command": document.body["properties"]["command"]}
        return Reply(200, {
            "runMetadata": metadata,
            "runDefinition": definition,
            "jobSpecification": None,
            "systemSettings": None,
        })  # fmt: skip

    def _output(self, job: str, name: str, spec: Mapping[str, Any]) -> dict[str, str]:
        identity = self._context.identity
        asset = (
            f"azureml://locations/{identity.location}/workspaces/{identity.guid}"
            f"/data/azureml_{job}_output_data_{name}/versions/1"
        )
        return {"assetId": asset, "type": _FILE if spec["jobOutputType"] == _FILE else "uri_folder"}

    def _resolve(self, call: Call) -> Reply:
        wanted = call.object().get("values") or []
        return Reply(200, {"values": {asset: self._resolved(asset) for asset in wanted}})

    def _resolved(self, asset: str) -> dict[str, Any]:
        middle = asset.rpartition("/versions/")[0].rpartition("/azureml_")[2]
        job, separator, output = middle.rpartition("_output_data_")
        if not separator:
            raise NotFound(f"There is no data asset {asset}.")
        document = self._store.get(job)
        spec = document.body["properties"]["outputs"].get(output, {"jobOutputType": "uri_folder"})
        kind = _FILE if spec["jobOutputType"] == _FILE else "uri_folder"
        datastore, path = self._outputs.root(document, output)
        uri = self._context.identity.datastore_uri(datastore, path if kind == _FILE else f"{path}/")
        return {"uri": uri, "type": kind, "legacyDatasetType": None}

    def _run(self, document: Document) -> dict[str, Any]:
        stored, properties = document.body, document.body["properties"]
        person = {
            "userObjectId": "33333333-3333-3333-3333-333333333333", "userPuId": None, "userIdp": None,
            "userAltSecId": None, "userIss": None, "userTenantId": TENANT, "userName": "amlocal user", "upn": None,
        }  # fmt: skip
        name, parent = document.name, properties.get("parentJobName")
        return dict.fromkeys(_NULLS) | {
            "runNumber": int(from_azure_date(stored["created"]).timestamp()),
            "rootRunId": parent or name,
            "createdUtc": stored["created"],
            "createdBy": person,
            "userId": person["userObjectId"],
            "error": stored["error"],
            "warnings": stored["warnings"] or None,
            "revision": 1,
            "statusRevision": 1,
            "runUuid": name,
            "rootRunUuid": parent or name,
            "parentRunUuid": parent,
            "parentRunId": parent,
            "lastModifiedBy": person,
            "lastModifiedUtc": stored["ended"] or stored["started"] or stored["created"],
            "duration": _duration(stored),
            "computeDuration": _duration(stored),
            "runId": name,
            "experimentId": properties["experimentName"],
            "status": stored["status"],
            "startTimeUtc": stored["started"],
            "endTimeUtc": stored["ended"],
            "displayName": properties["displayName"],
            "name": properties["displayName"],
            "dataContainerId": f"dcid.{name}",
            "description": properties["description"],
            "hidden": properties["isArchived"],
            "runType": "azureml.scriptrun",
            "runTypeV2": {"orchestrator": "Execution", "traits": [], "attribution": None, "computeType": "AmlCompute"},
            "properties": properties["properties"],
            "parameters": {},
            "actionUris": {"Cancel": f"{self._context.origin}{self._context.arm}/jobs/{name}/cancel"},
            "cancelUri": f"{self._context.origin}{self._context.arm}/jobs/{name}/cancel",
            "target": compute_of(document) or None,
            "uniqueChildRunComputeTargets": [],
            "tags": properties["tags"],
            "settings": {},
            "services": {},
            "inputDatasets": [],
            "outputDatasets": [],
        }


# The keys of a recorded run that a local one has nothing to say to.
_NULLS = (
    "token", "tokenExpiryTimeUtc", "lastStartTimeUtc", "currentComputeTime", "effectiveStartTimeUtc",
    "cancelationReason", "currentAttemptId", "scheduleId", "scriptName", "runDefinition", "jobSpecification",
    "primaryMetricName", "createdFrom", "completeUri", "diagnosticsUri", "computeRequest", "compute",
    "retainForLifetimeOfWorkspace", "queueingInfo", "inputs", "outputs",
)  # fmt: skip


def _duration(stored: Mapping[str, Any]) -> str | None:
    """Return how long a job ran, as .NET writes it (`00:00:13.5645861`), or None while that is not known."""
    if not (stored["started"] and stored["ended"]):
        return None
    taken = from_azure_date(stored["ended"]) - from_azure_date(stored["started"])
    minutes, rest = divmod(taken.total_seconds(), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours:02}:{minutes:02}:{rest:010.7f}"
