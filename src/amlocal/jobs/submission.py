"""What a client sends to run a command job, checked and filled in as Azure ML does; and what of it does nothing here.

The rows of `SETTINGS` are the properties that azure-ai-ml can send (its models CommandJob, JobResourceConfiguration,
QueueSettings, JobService and so on); a test walks those models, so that none is accepted and silently does nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from amlocal.core.context import Context
from amlocal.core.decoding import Sent, flag, mapping, seconds, text, texts
from amlocal.core.errors import BadRequest
from amlocal.core.unserved import unserved_job
from amlocal.core.uris import own_reference
from amlocal.jobs.bindings import CheckReference, accept_inputs, accept_outputs, reject_null_byte, substitute
from amlocal.jobs.distribution import accept_distribution
from amlocal.jobs.status import JobFailure

_RESOURCES = {
    "instanceCount": 1, "maxInstanceCount": None, "instanceType": None,
    "locations": None, "properties": None, "shmSize": "2g", "dockerArgs": None,
}  # fmt: skip
AcceptJob = Callable[[str, dict[str, Any]], dict[str, Any]]  # name, what was sent -> the properties that are kept
LogLine = Callable[[Any], str]  # a setting's value -> the line in the log


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
    """Return the two services of a job: its MLflow tracking, and its page in the studio."""
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
        if not is_default_service(service)
    }


def _command(sent: Sent, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> str:
    command = text(sent, "command")
    if command is None or not command.strip():
        raise BadRequest("The job has no command.")
    try:
        substitute(command, dict.fromkeys(inputs, ""), dict.fromkeys(outputs, ""))
    except JobFailure as error:
        raise BadRequest(str(error)) from error
    return reject_null_byte(command, "command")


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
        reject_null_byte(name + value, f"environment variable {name!r}")
    return variables


def _queue(given: Sent, compute: str | None) -> dict[str, Any] | None:
    return None if compute and not given else {"jobTier": "Standard", "priority": None, **given}


def _none(_: Any) -> str:
    return ""


def _shm_size(value: Any) -> str:
    # The SDK sends 2g with every `resources`, whether it was set or not.
    return "" if value == "2g" else f"shm_size {value}: not set; the job shares this machine's /dev/shm"


def _job_tier(value: Any) -> str:
    low = str(value).lower() in ("spot", "premium", "basic")
    return f"queue_settings.job_tier {value}: nobody queues or preempts here, every tier is the same" if low else ""


def _identity(value: Any) -> str:
    managed = value == "Managed"
    return (
        "identity managed_identity: the job's tokens open this workspace, no managed identity of Azure"
        if managed
        else ""
    )


def _notice(what: str) -> LogLine:
    return lambda value: what.format(value=value)


SERVED: LogLine = _none
NOBODY_MAILED = "notification_settings: nobody is told by mail or webhook"
NOT_STARTED = "not started; interactive services need a cluster of Azure"
NO_CONTAINER = "docker_args {value}: not set; a job is a process of this machine, without a container"
# The path of a setting in the request -> the line in the log about its value.
SETTINGS: Mapping[str, LogLine] = {
    **dict.fromkeys(
        (
            "jobType", "command", "codeId", "computeId", "environmentId", "environmentVariables", "inputs", "outputs",
            "displayName", "experimentName", "description", "tags", "properties", "isArchived", "parentJobName",
            "status", "parameters", "limits.jobLimitsType", "limits.timeout", "resources.instanceCount",
            "distribution.distributionType", "distribution.processCountPerInstance", "distribution.workerCount",
            "distribution.parameterServerCount", "identity.clientId", "identity.objectId", "identity.resourceId",
        ),
        SERVED,
    ),
    "identity.identityType": _identity,
    "componentId": _notice("component {value}: kept, and looked up nowhere"),
    "resources.instanceType": _notice("instance_type {value}: the job has this machine, whatever its size"),
    "resources.maxInstanceCount": _notice("max_instance_count {value}: the job stays on one instance"),
    "resources.locations": _notice("locations {value}: the job runs here"),
    "resources.properties": _notice("resources.properties {value}: no service of Azure reads them here"),
    "resources.dockerArgs": _notice(NO_CONTAINER),
    "resources.dockerArgsList": _notice(NO_CONTAINER),
    "resources.shmSize": _shm_size,
    "queueSettings.jobTier": _job_tier,
    "queueSettings.priority": _notice("queue_settings.priority {value}: jobs start in the order of their submission"),
    "services": lambda value: "; ".join(_service(*item) for item in value.items() if not is_default_service(item[1])),
    "notificationSetting.emailOn": _notice(NOBODY_MAILED),
    "notificationSetting.emails": _notice(NOBODY_MAILED),
    "notificationSetting.webhooks": _notice(NOBODY_MAILED),
    "autologgerSettings.mlflowAutologger": _notice("mlflow_autologger {value}: call mlflow.autolog() in the code"),
    "secretsConfiguration": _notice("secrets_configuration: no key vault is here, and none of its secrets is fetched"),
}  # fmt: skip


def is_default_service(service: Mapping[str, Any]) -> bool:
    """Return whether a service is one of the two that every job has."""
    return service.get("jobServiceType") in ("Tracking", "Studio")


def _service(name: str, service: Mapping[str, Any]) -> str:
    return f"service {name} ({service.get('jobServiceType')}): {NOT_STARTED}"


def ignored_settings(sent: Mapping[str, Any]) -> list[str]:
    """Return the lines that say what of a job's settings does nothing here, each once."""
    lines = [line for path, value in _leaves(sent) if (line := SETTINGS.get(path, _unknown(path))(value))]
    return list(dict.fromkeys(lines))


def _unknown(path: str) -> LogLine:
    return lambda _: f"{path}: not a setting of command jobs that is known here; it does nothing"


def _leaves(sent: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each setting that has a value, down to what the table has a row for."""
    for key, value in sent.items():
        path = f"{above}{key}"
        inside = any(row.startswith(f"{path}.") for row in SETTINGS)
        if isinstance(value, Mapping) and inside:
            yield from _leaves(value, f"{path}.")
        elif value not in (None, "", {}, []):
            yield path, value
