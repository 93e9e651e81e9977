"""What of an online deployment's settings does nothing on one machine, in the words of the deployment's log."""

from collections.abc import Mapping
from typing import Any


def unserved(properties: Mapping[str, Any]) -> list[str]:
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
