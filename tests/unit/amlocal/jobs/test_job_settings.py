"""No setting of a job is accepted and silently does nothing."""

from typing import Any

import pytest

from amlocal.jobs.settings import unserved
from tests.unit.amlocal.jobs.desk import Desk, accepted

SAID: dict[str, tuple[dict[str, Any], str]] = {
    "docker_args": ({"resources": {"dockerArgs": "--memory 4g"}}, "docker_args --memory 4g: not set"),
    "a list of docker_args": ({"resources": {"dockerArgsList": ["--memory", "4g"]}}, "docker_args ['--memory'"),
    "shm_size": ({"resources": {"shmSize": "8g"}}, "shm_size 8g: not set"),
    "instance_type": ({"resources": {"instanceType": "Standard_NC6"}}, "instance_type Standard_NC6"),
    "locations": ({"resources": {"locations": ["westeurope"]}}, "locations ['westeurope']"),
    "max_instance_count": ({"resources": {"maxInstanceCount": 4}}, "max_instance_count 4"),
    "resources.properties": ({"resources": {"properties": {"AISuperComputer": {}}}}, "resources.properties"),
    "job_tier": ({"queueSettings": {"jobTier": "Spot"}}, "job_tier Spot"),
    "priority": ({"queueSettings": {"priority": 1}}, "priority 1"),
    "managed identity": ({"identity": {"identityType": "Managed"}}, "identity managed_identity"),
    "mail": ({"notificationSetting": {"emails": ["a@b"], "emailOn": ["JobFailed"]}}, "nobody is told"),
    "autologger": ({"autologgerSettings": {"mlflowAutologger": "Enabled"}}, "mlflow.autolog()"),
    "secrets": ({"secretsConfiguration": {"s": {"uri": "x"}}}, "none of its secrets"),
    "component": ({"componentId": "c"}, "component c"),
    "service": ({"services": {"code": {"jobServiceType": "VSCode"}}}, "service code (VSCode): not started"),
    "unknown": ({"resources": {"colour": "red"}}, "resources.colour: not a setting"),
}


@pytest.mark.parametrize("case", SAID)
def test_what_does_nothing_here_is_one_line(desk: Desk, case: str) -> None:
    changes, line = SAID[case]
    lines = unserved(accepted(desk.context, **changes))
    assert len(lines) == 1
    assert line in lines[0]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"resources": {"instanceCount": 1, "shmSize": "2g"}},
        {"queueSettings": {"jobTier": "Standard"}},
        {"identity": {"identityType": "AMLToken"}},
        {"identity": {"identityType": "UserIdentity"}},
        {"limits": {"jobLimitsType": "Command", "timeout": "PT1H"}},
        {"distribution": {"distributionType": "PyTorch", "processCountPerInstance": 2}},
    ],
)
def test_what_is_served_or_everyones_default_is_not_spoken_of(desk: Desk, changes: dict[str, Any]) -> None:
    assert unserved(accepted(desk.context, computeId=None, **changes)) == []


def test_a_service_is_shown_with_the_reason_why_it_does_not_run(desk: Desk) -> None:
    shown = accepted(desk.context, services={"code": {"jobServiceType": "VSCode"}})["services"]
    assert (shown["code"]["status"], "not started" in shown["code"]["errorMessage"]) == ("Failed", True)
    assert {"Tracking", "Studio"} < shown.keys()
