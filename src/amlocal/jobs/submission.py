"""What a client sends to create a job, checked and filled in as Azure ML does."""

from collections.abc import Mapping
from typing import Any

from amlocal.core.context import Context
from amlocal.core.durations import seconds
from amlocal.core.errors import BadRequest
from amlocal.core.fields import Sent, flag, mapping, text, texts
from amlocal.core.unserved import unserved_job
from amlocal.core.uris import own_reference
from amlocal.jobs.bindings import CheckReference, accept_inputs, accept_outputs, without_zero
from amlocal.jobs.distribution import accept_distribution
from amlocal.jobs.failure import JobFailure
from amlocal.jobs.placeholders import substitute
from amlocal.jobs.settings import NOT_STARTED, is_own

_RESOURCES = {
    "instanceCount": 1, "maxInstanceCount": None, "instanceType": None,
    "locations": None, "properties": None, "shmSize": "2g", "dockerArgs": None,
}  # fmt: skip


def accept(
    context: Context,
    name: str,
    sent: Sent,
    *,
    check_environment: CheckReference,
    check_input: CheckReference,
    check_code: CheckReference,
) -> dict[str, Any]:
    """Return the properties of a new command job as they are kept, status aside.

    Raises `ApiError` 501 for what one machine does not do, and `BadRequest` for what cannot run anywhere.
    """
    check_kind(sent)
    code, environment, compute = text(sent, "codeId"), text(sent, "environmentId"), text(sent, "computeId")
    own_reference(context.identity, text(sent, "componentId") or "")
    if environment is None:
        raise BadRequest("The job names no environment.")
    check_environment(environment)
    if code:
        check_code(code)
    inputs, outputs = accept_inputs(sent, check_input), accept_outputs(context.identity, name, sent, check_input)
    return {
        **{key: text(sent, key) for key in ("description", "componentId", "parentJobName")},
        **{key: mapping(sent, key) or None for key in _PASSED_ON},
        "jobType": "Command",
        "command": _command(sent, inputs, outputs),
        "codeId": code,
        "computeId": compute,
        "environmentId": environment,
        "displayName": text(sent, "displayName") or name,
        "experimentName": text(sent, "experimentName") or "Default",
        "tags": texts(sent, "tags"),
        "properties": _properties(context, sent, has_code=code is not None),
        "services": _interactive(sent) | services(context, name),
        "isArchived": flag(sent, "isArchived"),
        "resources": _resources(sent),
        "distribution": accept_distribution(sent, mapping(sent, "resources")),
        "inputs": inputs,
        # Azure adds the output "default"; with it the SDK reads logs by a SAS that it signs itself from an account
        # key, and breaks on a datastore that gives SAS tokens. Without it the SDK reads `logFiles`.
        "outputs": outputs,
        "limits": _limits(sent) or None,
        "environmentVariables": accept_variables(sent),
        "parameters": {},
        "queueSettings": _queue(mapping(sent, "queueSettings"), compute),
    }


def check_kind(sent: Sent) -> None:
    """Raise `ApiError` 501 for a job that is no command job; before anything else of it is looked at."""
    if sent.get("jobType") != "Command":
        raise unserved_job(sent)


# Kept and shown; nothing here depends on them.
_PASSED_ON = ("identity", "autologgerSettings", "notificationSetting", "secretsConfiguration")


def services(context: Context, name: str) -> dict[str, Any]:
    """Return the two services of a job: where it is tracked, and where a person looks at it."""
    where = f"/subscriptions/{context.identity.subscription}/resourcegroups/{context.identity.resource_group}"
    studio = f"{context.origin}/runs/{name}?wsid={where}/workspaces/{context.identity.name}"
    blank = {"port": None, "status": None, "errorMessage": None, "properties": None, "nodes": None}
    return {
        "Tracking": {"jobServiceType": "Tracking", "endpoint": f"{context.origin}/mlflow?", **blank},
        "Studio": {"jobServiceType": "Studio", "endpoint": studio, **blank},
    }


def _interactive(sent: Sent) -> dict[str, Any]:
    """Return the services that a job asks for as they are shown, none of them started."""
    asked = mapping(sent, "services")
    services = {name: mapping(asked, name) for name in asked}
    return {
        name: {"port": None, "endpoint": None, "properties": None, "nodes": None, **service}
        | {"status": "Failed", "errorMessage": f"amlocal: {NOT_STARTED}."}
        for name, service in services.items()
        if not is_own(service)
    }


def _command(sent: Sent, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> str:
    command = text(sent, "command")
    if command is None or not command.strip():
        raise BadRequest("The job has no command.")
    try:
        substitute(command, dict.fromkeys(inputs, ""), dict.fromkeys(outputs, ""))
    except JobFailure as error:
        raise BadRequest(str(error)) from error
    return without_zero(command, "command")


def _properties(context: Context, sent: Sent, *, has_code: bool) -> dict[str, str]:
    added = {"_azureml.ComputeTargetType": "amlctrain"}
    if has_code:
        added["ContentSnapshotId"] = context.ids()
    return texts(sent, "properties") | added


def _resources(sent: Sent) -> dict[str, Any]:
    resources = mapping(sent, "resources")
    return _RESOURCES | {key: value for key, value in resources.items() if value is not None}


def _limits(sent: Sent) -> dict[str, Any]:
    limits = mapping(sent, "limits")
    timeout = text(limits, "timeout")
    if timeout is not None and seconds(timeout) <= 0:
        raise BadRequest(f"The job's limits.timeout is {timeout}: nothing runs in no time.")
    return limits


def accept_variables(sent: Sent) -> dict[str, str]:
    """Return the environment variables of a job. Raises `BadRequest` for what cannot be one."""
    variables = texts(sent, "environmentVariables")
    for name, value in variables.items():
        if not name or "=" in name:
            raise BadRequest(f"{name!r} cannot be the name of an environment variable.")
        without_zero(name + value, f"environment variable {name!r}")
    return variables


def _queue(given: Sent, compute: str | None) -> dict[str, Any] | None:
    return None if compute and not given else {"jobTier": "Standard", "priority": None, **given}
