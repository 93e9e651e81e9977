"""A job as run history shows it: a run with the sixty keys of a recorded one."""

from collections.abc import Mapping
from typing import Any

from amlocal.core.context import TENANT, Context
from amlocal.core.documents import Document
from amlocal.core.wire import USER, from_azure_date
from amlocal.jobs.queue import compute_of

_PERSON = {
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


def run_view(context: Context, document: Document) -> dict[str, Any]:
    """Return a job's run on the wire."""
    stored, properties = document.body, document.body["properties"]
    name, parent = document.name, properties.get("parentJobName")
    cancel = f"{context.origin}{context.arm}/jobs/{name}/cancel"
    return dict.fromkeys(_NULLS) | {
        "runNumber": int(from_azure_date(stored["created"]).timestamp()),
        "rootRunId": parent or name,
        "createdUtc": stored["created"],
        "createdBy": _PERSON,
        "userId": _PERSON["userObjectId"],
        "error": stored["error"],
        "warnings": stored["warnings"] or None,
        "revision": stored["revision"],
        "statusRevision": stored["revision"],
        "runUuid": name,
        "rootRunUuid": parent or name,
        "parentRunUuid": parent,
        "parentRunId": parent,
        "lastModifiedBy": _PERSON,
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
