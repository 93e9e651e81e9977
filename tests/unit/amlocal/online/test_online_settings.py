"""No setting of an online deployment is accepted and silently does nothing."""

from typing import Any

import pytest

from amlocal.online.bodies import with_defaults
from amlocal.online.settings import unserved

SAID: dict[str, tuple[dict[str, Any], str]] = {
    "app insights": ({"appInsightsEnabled": True}, "app_insights_enabled"),
    "egress": ({"egressPublicNetworkAccess": "Disabled"}, "egress_public_network_access disabled"),
    "scale": ({"scaleSettings": {"scaleType": "TargetUtilization"}}, "scale_settings TargetUtilization"),
    "mount": ({"modelMountPath": "/mnt/model"}, "model_mount_path /mnt/model"),
    "startup": ({"startupProbe": {"period": "PT5S"}}, "startup_probe"),
    "collector": ({"dataCollector": {"collections": {}}}, "data_collector"),
}


def lines(**properties: Any) -> list[str]:
    return unserved(with_defaults({"instanceType": "Standard_DS3_v2", **properties}))


def test_of_the_defaults_the_size_alone_is_spoken_of() -> None:
    assert lines() == ["instance_type Standard_DS3_v2: every process has this whole machine"]


@pytest.mark.parametrize("case", SAID)
def test_what_does_nothing_here_is_one_line(case: str) -> None:
    changes, line = SAID[case]
    _, said = lines(**changes)
    assert said.startswith(line)
