"""Run history, through which the SDK streams, updates and downloads jobs; and the link from a job to its run's page."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from amlocal.core.context import TENANT, USER, Context, from_azure_date
from amlocal.core.decoding import Sent, flag, text, texts, texts_of
from amlocal.core.documents import Document
from amlocal.core.errors import NotFound
from amlocal.core.http import Call, Reply, Route, own_name
from amlocal.core.paging import page
from amlocal.jobs.logs import JobLogs
from amlocal.jobs.outputs import JobOutputs
from amlocal.jobs.status import Status
from amlocal.jobs.store import JobStore, compute_of, step_of
from amlocal.tracking.protocol import PREFIX

_JUST_ENDED = timedelta(seconds=30)
# What the SDK can download; the model types crash it (TypeError in its own request class), so they show as folders.
_DOWNLOADABLE = "uri_file"
_USER_INFO = {
    "userObjectId": "33333333-3333-3333-3333-333333333333", "userPuId": None, "userIdp": None,
    "userAltSecId": None, "userIss": None, "userTenantId": TENANT, "userName": USER, "upn": None,
}  # fmt: skip
# The keys of a recorded run that a local one has nothing to say to.
_NULLS = (
    "token", "tokenExpiryTimeUtc", "lastStartTimeUtc", "currentComputeTime", "effectiveStartTimeUtc",
    "cancelationReason", "currentAttemptId", "scheduleId", "scriptName", "runDefinition", "jobSpecification",
    "primaryMetricName", "createdFrom", "completeUri", "diagnosticsUri", "computeRequest", "compute",
    "retainForLifetimeOfWorkspace", "queueingInfo", "inputs", "outputs",
)  # fmt: skip
_JOB_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
# As in the pages' own welcome, a script moves on rather than a redirect: wherever the link was, the browser then sends
# the cookie that lets its user in, which is a strict one.
_STUDIO_PAGE = (
    '<!doctype html><title>MLflow</title><script>location.replace("{target}")</script><a href="{target}">MLflow</a>\n'
)


class HistoryRoutes:
    """The routes below `{api}/history/v1.0` and `{api}/data/v1.0`.

    `check` raises `ApiError` for a change that Azure's run history would not keep.
    """

    def __init__(
        self, context: Context, store: JobStore, outputs: JobOutputs, logs: JobLogs, check: Callable[[Sent], None]
    ) -> None:
        self._context = context
        self._store = store
        self._outputs = outputs
        self._logs = logs
        self._check = check
        self._looked_at: set[str] = set()

    def routes(self) -> list[Route]:
        """Return the routes; runs are reached with and without their experiment."""
        history = f"/history/v1.0{self._context.arm}"
        table: list[Route] = []
        for middle in ("", "/experiments/{experiment}", "/experimentids/{experiment}"):
            run = f"{history}{middle}/runs/{{name}}"
            table += [
                Route("GET", run, self._show, for_job=own_name),
                Route("PATCH", run, self._patch, for_job=own_name),
                Route("GET", f"{run}/details", self._details, for_job=own_name),
                Route("GET", f"{run}/children", self._children, for_job=own_name),
                Route("GET", f"{run}/serviceinstances/{{node}}", self._service_instances, for_job=own_name),
            ]
        return [
            *table,
            Route("POST", f"{history}/rundata", self._run_data),
            Route("POST", f"/data/v1.0{self._context.arm}/dataversion/batchGetResolvedUris", self._resolve),
        ]

    def _show(self, call: Call) -> Reply:
        return Reply(200, run_view(self._context, self._store.get(call.path["name"])))

    def _patch(self, call: Call) -> Reply:
        sent = call.object()
        self._check(sent)
        document = self._store.change(call.path["name"], _changes(sent))
        return Reply(200, run_view(self._context, document))

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
            "logFiles": self._logs.urls(step_of(document) or document.name),
            "submittedBy": USER,
        })  # fmt: skip

    def _shown_status(self, document: Document) -> Status:
        """Return the status for a stream of the log.

        The SDK prints no log of a job that has ended at its first look, which on Azure no job has. A local one may
        have, so the first look at a job that has just ended finds it `Finalizing`, and the next one as it is.
        """
        status, first = Status(document.body["status"]), document.name not in self._looked_at
        self._looked_at.add(document.name)
        if first and status.ended:
            age = self._context.clock() - from_azure_date(document.body["ended"])
            return Status.FINALIZING if age < _JUST_ENDED else status
        return status

    def _children(self, call: Call) -> Reply:
        self._store.get(call.path["name"])
        rows = self._store.children(call.path["name"])
        return page(call, rows, self._context.origin, show=partial(run_view, self._context))

    def _service_instances(self, call: Call) -> Reply:
        self._store.get(call.path["name"])
        return Reply(200, {"instances": {}})

    def _run_data(self, call: Call) -> Reply:
        document = self._store.get(text(call.object(), "runId") or "")
        ended = Status(document.body["status"]).ended
        specs = (document.body["properties"]["outputs"] or {}) if ended else {}
        outputs = {name: self._output(document.name, name, spec) for name, spec in specs.items()}
        outputs["default"] = self._output(document.name, "default", {"jobOutputType": "uri_folder"})
        metadata = run_view(self._context, document) | {"inputs": {}, "outputs": outputs}
        properties = document.body["properties"]
        definition = {"JobType": properties["jobType"], "Command": properties.get("command")}
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
        return {"assetId": asset, "type": _shown_type(spec)}

    def _resolve(self, call: Call) -> Reply:
        wanted = texts_of(call.object(), "values")
        return Reply(200, {"values": {asset: self._resolved(asset) for asset in wanted}})

    def _resolved(self, asset: str) -> dict[str, Any]:
        middle = asset.rpartition("/versions/")[0].rpartition("/azureml_")[2]
        job, separator, output = middle.partition("_output_data_")
        if not separator:
            raise NotFound(f"There is no data asset {asset}.")
        document = self._store.get(job)
        kind = _shown_type((document.body["properties"]["outputs"] or {}).get(output, {}))
        datastore, path = self._outputs.root(document, output)
        uri = self._context.identity.datastore_uri(datastore, path if kind == _DOWNLOADABLE else f"{path}/")
        return {"uri": uri, "type": kind, "legacyDatasetType": None}


def _changes(sent: Sent) -> dict[str, Any]:
    """Return what a PATCH changes; what it leaves out, or sends as null, stays."""
    changes: dict[str, Any] = {key: text(sent, key) for key in ("displayName", "description")}
    changes |= {key: texts(sent, key) for key in ("tags", "properties") if sent.get(key) is not None}
    if sent.get("hidden") is not None:
        changes["isArchived"] = flag(sent, "hidden")
    return {key: value for key, value in changes.items() if value is not None}


def _shown_type(spec: Mapping[str, Any]) -> str:
    return _DOWNLOADABLE if spec.get("jobOutputType") == _DOWNLOADABLE else "uri_folder"


def run_view(context: Context, document: Document) -> dict[str, Any]:
    """Return a job's run on the wire."""
    stored, properties = document.body, document.body["properties"]
    name, parent = document.name, properties.get("parentJobName")
    cancel = f"{context.origin}{context.arm}/jobs/{name}/cancel"
    return dict.fromkeys(_NULLS) | {
        "runNumber": int(from_azure_date(stored["created"]).timestamp()),
        "rootRunId": parent or name,
        "createdUtc": stored["created"],
        "createdBy": _USER_INFO,
        "userId": _USER_INFO["userObjectId"],
        "error": stored["error"],
        "warnings": stored["warnings"] or None,
        "revision": stored["revision"],
        "statusRevision": stored["revision"],
        "runUuid": name,
        "rootRunUuid": parent or name,
        "parentRunUuid": parent,
        "parentRunId": parent,
        "lastModifiedBy": _USER_INFO,
        "lastModifiedUtc": stored["ended"] or stored["started"] or stored["created"],
        "duration": duration(stored),
        "computeDuration": duration(stored),
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
        "actionUris": {"Cancel": cancel},
        "cancelUri": cancel,
        "target": compute_of(document) or None,
        "uniqueChildRunComputeTargets": [],
        "tags": properties["tags"],
        "settings": {},
        "services": {},
        "inputDatasets": [],
        "outputDatasets": [],
    }


def duration(stored: Mapping[str, Any]) -> str | None:
    """Return how long a job ran, as .NET writes it (`00:00:13.5645861`), or None while that is not known."""
    if not (stored["started"] and stored["ended"]):
        return None
    taken = from_azure_date(stored["ended"]) - from_azure_date(stored["started"])
    minutes, rest = divmod(taken.total_seconds(), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours:02}:{minutes:02}:{rest:010.7f}"


def studio_routes() -> list[Route]:
    """Return the route of the link.

    It needs no token, since a browser brings none, and reveals nothing, not even whether the job exists: MLflow's pages
    authenticate the caller.
    """
    return [Route("GET", "/runs/{job}", _show_studio_page, auth="open", streaming=True)]


def _show_studio_page(call: Call) -> Reply:
    job = call.path["job"]
    if not _JOB_NAME.fullmatch(job):
        raise NotFound(f"{job!r} is not the name of a job.")
    page = _STUDIO_PAGE.format(target=f"{PREFIX}/#/runs/{job}")
    return Reply(200, page.encode(), {"Referrer-Policy": "no-referrer"}, media_type="text/html; charset=utf-8")
