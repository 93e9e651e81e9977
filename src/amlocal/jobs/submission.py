"""What a client sends to create a job, checked and filled in as Azure ML does."""

from collections.abc import Callable, Mapping
from typing import Any

from amlocal.core.context import Context
from amlocal.core.errors import ApiError, BadRequest
from amlocal.core.wire import string_map
from amlocal.jobs.durations import seconds

# reference -> nothing; raises `ApiError` when a version that is named does not exist
CheckReference = Callable[[str], object]

_ASSETS = ("uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model")
_RESOURCES = {
    "instanceCount": 1, "maxInstanceCount": None, "instanceType": None,
    "locations": None, "properties": None, "shmSize": "2g", "dockerArgs": None,
}  # fmt: skip
_ABSENT = ("description", "computeId", "identity", "componentId", "codeId", "distribution", "autologgerSettings")


def accept(
    context: Context,
    name: str,
    sent: Mapping[str, Any],
    *,
    check_environment: CheckReference,
    check_input: CheckReference,
    check_code: CheckReference,
) -> dict[str, Any]:
    """Return the properties of a new command job as they are kept, status aside.

    Raises `ApiError` 501 for other types of job and `BadRequest` for what cannot run.
    """
    if sent.get("jobType") != "Command":
        raise ApiError(
            501,
            f"Jobs of type {sent.get('jobType')} are not served locally; send a command job.",
            code="NotImplemented",
        )
    if not isinstance(sent.get("command"), str) or not sent["command"].strip():
        raise BadRequest("The job has no command.")
    if not sent.get("environmentId"):
        raise BadRequest("The job names no environment.")
    check_environment(sent["environmentId"])
    if sent.get("codeId"):
        check_code(sent["codeId"])
    limits = sent.get("limits")
    if limits and limits.get("timeout"):
        seconds(limits["timeout"])
    return {
        **{key: sent.get(key) for key in _ABSENT},
        "jobType": "Command",
        "command": sent["command"],
        "environmentId": sent["environmentId"],
        "displayName": sent.get("displayName") or name,
        "experimentName": sent.get("experimentName") or "Default",
        "tags": string_map(sent.get("tags")),
        "properties": _properties(context, sent),
        "services": services(context, name),
        "isArchived": bool(sent.get("isArchived")),
        "resources": _RESOURCES | {key: value for key, value in _resources(sent).items() if value is not None},
        "inputs": {key: _input(key, value, check_input) for key, value in (sent.get("inputs") or {}).items()},
        # Azure adds the output "default"; with it the SDK reads logs by a SAS that it signs itself from an account
        # key, and breaks on a datastore that gives SAS tokens. Without it the SDK reads `logFiles`.
        "outputs": {key: _output(key, value) for key, value in (sent.get("outputs") or {}).items()},
        "limits": limits,
        "environmentVariables": string_map(sent.get("environmentVariables")),
        "parameters": {},
        "notificationSetting": sent.get("notificationSetting"),
        "secretsConfiguration": sent.get("secretsConfiguration"),
        "queueSettings": sent.get("queueSettings") or _queue(sent),
        "parentJobName": sent.get("parentJobName"),
    }


def services(context: Context, name: str) -> dict[str, Any]:
    """Return the two services of a job: where it is tracked, and where a person looks at it."""
    where = f"/subscriptions/{context.identity.subscription}/resourcegroups/{context.identity.resource_group}"
    studio = f"{context.origin}/runs/{name}?wsid={where}/workspaces/{context.identity.name}"
    blank = {"port": None, "status": None, "errorMessage": None, "properties": None, "nodes": None}
    return {
        "Tracking": {"jobServiceType": "Tracking", "endpoint": f"{context.origin}/mlflow?", **blank},
        "Studio": {"jobServiceType": "Studio", "endpoint": studio, **blank},
    }


def _properties(context: Context, sent: Mapping[str, Any]) -> dict[str, str]:
    added = {"_azureml.ComputeTargetType": "amlctrain"}
    if sent.get("codeId"):
        added["ContentSnapshotId"] = context.ids()
    return string_map(sent.get("properties")) | added


def _resources(sent: Mapping[str, Any]) -> dict[str, Any]:
    resources = dict(sent.get("resources") or {})
    processes = (sent.get("distribution") or {}).get("processCountPerInstance") or 1
    if (resources.get("instanceCount") or 1) > 1 or processes > 1:
        raise ApiError(
            501,
            "amlocal is one machine: a job runs as one process on one instance. Set instance_count and "
            "process_count_per_instance to 1 here; Azure ML takes more.",
            code="NotImplemented",
        )
    return resources


def _queue(sent: Mapping[str, Any]) -> dict[str, Any] | None:
    return None if sent.get("computeId") else {"jobTier": "Standard", "priority": None}


def _input(key: str, sent: Mapping[str, Any], check: CheckReference) -> dict[str, Any]:
    kind = sent.get("jobInputType")
    if kind == "literal":
        if sent.get("value") is None:
            raise BadRequest(f"The input {key} is a literal without a value.")
        return {"description": sent.get("description"), "value": str(sent["value"]), "jobInputType": "literal"}
    if kind not in _ASSETS:
        raise BadRequest(f"The input {key} has type {kind!r}; known are literal, {', '.join(_ASSETS)}.")
    if not sent.get("uri"):
        raise BadRequest(f"The input {key} has no uri.")
    check(sent["uri"])
    mode = sent.get("mode") or "ReadOnlyMount"
    return {"description": sent.get("description"), "uri": sent["uri"], "mode": mode, "jobInputType": kind}


def _output(key: str, sent: Mapping[str, Any]) -> dict[str, Any]:
    kind = sent.get("jobOutputType") or "uri_folder"
    if kind not in _ASSETS:
        raise BadRequest(f"The output {key} has type {kind!r}; known are {', '.join(_ASSETS)}.")
    return {
        "description": sent.get("description"),
        "uri": sent.get("uri"),
        "assetName": sent.get("assetName"),
        "assetVersion": sent.get("assetVersion"),
        "mode": sent.get("mode") or "ReadWriteMount",
        "jobOutputType": kind,
        "autoDeleteSetting": sent.get("autoDeleteSetting"),
    }
