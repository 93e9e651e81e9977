"""Azure ML's own rules for online endpoints and deployments, and which settings do nothing on one machine."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from amlocal.core.errors import BadRequest

# learn.microsoft.com/azure/machine-learning/how-to-manage-quotas, "Azure Machine Learning online endpoints"
_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]{1,30})[A-Za-z0-9]")
_INSTANCE_TYPE = re.compile(r"Standard_[A-Za-z0-9_-]+", re.IGNORECASE)
MAX_DEPLOYMENTS = 20  # of an endpoint
MAX_INSTANCES = 50  # of a deployment
MAX_MIRROR = 50  # percent
MAX_TIMEOUT_S = 180.0


def check_name(name: str, what: str) -> str:
    """Return the name of an endpoint or deployment. Raises `BadRequest`."""
    if not _NAME.fullmatch(name):
        raise BadRequest(
            f"The {what} name {name!r} is not valid: it has 3 to 32 letters, digits and '-', begins with a letter and "
            "ends with a letter or digit."
        )
    return name


def check_traffic(sent: Mapping[str, Any], deployments: Collection[str]) -> dict[str, int]:
    """Return the weights that are not 0. Raises `BadRequest` unless they add up to 0 or 100 over known deployments."""
    traffic = _percentages(sent, "traffic", deployments)
    if sum(traffic.values()) not in (0, 100):
        raise BadRequest(f"The traffic must add up to 0 or 100, not {sum(traffic.values())}: {traffic}.")
    return traffic


def check_mirror(sent: Mapping[str, Any], traffic: Mapping[str, int], deployments: Collection[str]) -> dict[str, int]:
    """Return the share that is copied to a deployment. Raises `BadRequest`: one, at most 50 %, without live traffic."""
    mirror = _percentages(sent, "mirrorTraffic", deployments)
    if len(mirror) > 1:
        raise BadRequest(f"Traffic can be mirrored to one deployment, not to {len(mirror)}: {', '.join(mirror)}.")
    for name, share in mirror.items():
        if share > MAX_MIRROR:
            raise BadRequest(f"At most {MAX_MIRROR} percent of the traffic can be mirrored, not {share}.")
        if name in traffic:
            raise BadRequest(f"Deployment {name} gets live traffic and cannot get mirrored traffic too.")
    return mirror


def _percentages(sent: Mapping[str, Any], key: str, deployments: Collection[str]) -> dict[str, int]:
    for name, share in sent.items():
        if type(share) is not int or not 0 <= share <= 100:
            raise BadRequest(f"{key} of {name} must be a whole number from 0 to 100, not {share!r}.")
        if share and name.lower() not in deployments:
            raise BadRequest(f"{key} names deployment {name}, which does not exist or has never been ready.")
    return {name.lower(): share for name, share in sent.items() if share}


def check_instances(count: Any, instance_type: Any) -> None:
    """Raise `BadRequest` for a size that Azure would not give."""
    if type(count) is not int or not 1 <= count <= MAX_INSTANCES:
        raise BadRequest(f"The instance count (sku.capacity) must be from 1 to {MAX_INSTANCES}, not {count!r}.")
    if not isinstance(instance_type, str) or not _INSTANCE_TYPE.fullmatch(instance_type):
        raise BadRequest(f"The instance type {instance_type!r} is not one of Azure's, such as Standard_E2s_v3.")


def check_room(deployments: int) -> None:
    """Raise `BadRequest` when an endpoint has as many deployments as Azure allows."""
    if deployments >= MAX_DEPLOYMENTS:
        raise BadRequest(f"An endpoint has at most {MAX_DEPLOYMENTS} deployments. Delete one that is not needed.")


def ignored_settings(properties: Mapping[str, Any]) -> list[str]:
    """Return a line for each setting that is kept and does nothing here; all others are served."""
    scale = properties["scaleSettings"].get("scaleType") or "Default"
    lines = {
        f"instance_type {properties['instanceType']}: every process has this whole machine": properties["instanceType"],
        "app_insights_enabled: nothing is sent to Application Insights; this log is all": properties[
            "appInsightsEnabled"
        ],
        "egress_public_network_access disabled: the network is as open as this machine's": (
            properties["egressPublicNetworkAccess"] == "Disabled"
        ),
        f"scale_settings {scale}: nothing scales by itself; instance_count processes serve": scale != "Default",
        f"model_mount_path {properties['modelMountPath']}: not mounted; AZUREML_MODEL_DIR names the model's folder": (
            properties["modelMountPath"]
        ),
        "startup_probe: not asked; a process serves once it answers": properties.get("startupProbe"),
        "data_collector: no request and no answer is collected": properties.get("dataCollector"),
    }
    return [line for line, applies in lines.items() if applies]
