"""What becomes of each setting of a command job: served, or said in the job's log that one machine does not do it.

The rows of `SETTINGS` are the properties that azure-ai-ml can send (its models CommandJob, JobResourceConfiguration,
QueueSettings, JobService and so on); a test walks those models, so that none is accepted and silently does nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Line = Callable[[Any], str]  # a setting's value -> the line in the log


def _none(_: Any) -> str:
    return ""


def _shm_size(value: Any) -> str:
    # The SDK sends 2g with every `resources`, whether anyone asked for it or not.
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


def _said(what: str) -> Line:
    return lambda value: what.format(value=value)


SERVED: Line = _none
NOBODY_MAILED = "notification_settings: nobody is told by mail or webhook"
NOT_STARTED = "not started; interactive services need a cluster of Azure"
NO_CONTAINER = "docker_args {value}: not set; a job is a process of this machine, without a container"
# The path of a setting on the wire -> what is said of its value.
SETTINGS: Mapping[str, Line] = {
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
    "componentId": _said("component {value}: kept, and looked up nowhere"),
    "resources.instanceType": _said("instance_type {value}: the job has this machine, whatever its size"),
    "resources.maxInstanceCount": _said("max_instance_count {value}: the job stays on one instance"),
    "resources.locations": _said("locations {value}: the job runs here"),
    "resources.properties": _said("resources.properties {value}: no service of Azure reads them here"),
    "resources.dockerArgs": _said(NO_CONTAINER),
    "resources.dockerArgsList": _said(NO_CONTAINER),
    "resources.shmSize": _shm_size,
    "queueSettings.jobTier": _job_tier,
    "queueSettings.priority": _said("queue_settings.priority {value}: jobs start in the order of their submission"),
    "services": lambda value: "; ".join(_service(name, one) for name, one in value.items() if not is_own(one)),
    "notificationSetting.emailOn": _said(NOBODY_MAILED),
    "notificationSetting.emails": _said(NOBODY_MAILED),
    "notificationSetting.webhooks": _said(NOBODY_MAILED),
    "autologgerSettings.mlflowAutologger": _said("mlflow_autologger {value}: call mlflow.autolog() in the code"),
    "secretsConfiguration": _said("secrets_configuration: no key vault is here, and none of its secrets is fetched"),
}  # fmt: skip


def is_own(service: Mapping[str, Any]) -> bool:
    """Tell whether a service is one of the two that every job has."""
    return service.get("jobServiceType") in ("Tracking", "Studio")


def _service(name: str, service: Mapping[str, Any]) -> str:
    return f"service {name} ({service.get('jobServiceType')}): {NOT_STARTED}"


def unserved(sent: Mapping[str, Any]) -> list[str]:
    """Return the lines that say what of a job's settings does nothing here, each once."""
    lines = [line for path, value in _leaves(sent) if (line := SETTINGS.get(path, _unknown(path))(value))]
    return list(dict.fromkeys(lines))


def _unknown(path: str) -> Line:
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
