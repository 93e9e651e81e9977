"""Compute instances: a description and a state; nothing runs on them, since the machine is this one."""

import re
from collections.abc import Mapping
from typing import Any

from amlocal.core.context import TENANT
from amlocal.core.decoding import mapping, text
from amlocal.core.errors import BadRequest, Conflict

KIND = "ComputeInstance"
RUNNING, STOPPED = "Running", "Stopped"
# action -> the states that it may begin in, the one that it ends in, and its name in `lastOperation`
ACTIONS: Mapping[str, tuple[tuple[str, ...], str, str]] = {
    "start": ((STOPPED, RUNNING), RUNNING, "Start"),
    "stop": ((RUNNING, STOPPED), STOPPED, "Stop"),
    "restart": ((RUNNING,), RUNNING, "Restart"),
}
# learn.microsoft.com/azure/machine-learning/how-to-create-compute-instance: 3 to 24 characters, a letter first.
_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]{1,22})[A-Za-z0-9]")
_USER = {"userOrgId": TENANT, "userId": "amlocal user", "userName": "amlocal user"}
# What is shown of an instance beyond what was sent.
_FILLED: Mapping[str, Any] = {
    "subnet": None,
    "autologgerSettings": None,
    "errors": [],
    "connectivityEndpoints": None,
    "applications": [],
    "applicationSharingPolicy": "Shared",
    "computeInstanceAuthorizationType": "personal",
    "personalComputeInstanceSettings": None,
    "setupScripts": None,
    "dataMounts": None,
    "dataDisks": None,
    "containers": None,
    "updateStatus": None,
    "versions": None,
    "customServices": [],
    "osImageMetadata": None,
    "schedules": {"computeStartStop": []},
}
# Azure shows none of these while an instance is being created.
_PENDING: Mapping[str, None] = {
    "sshSettings": None,
    "errors": None,
    "connectivityEndpoints": None,
    "applications": None,
    "state": None,
    "lastOperation": None,
    "customServices": None,
    "applicationSharingPolicy": None,
    "versions": None,
    "osImageMetadata": None,
}


def accept_settings(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a new instance. Raises `BadRequest` for a name that Azure refuses."""
    if not _NAME.fullmatch(name):
        raise BadRequest(
            f"The compute instance name {name!r} is not valid: it has 3 to 24 letters, digits and '-', begins with a "
            "letter and ends with a letter or digit."
        )
    given = {key: value for key, value in settings.items() if value is not None}
    return {
        **_FILLED,
        **given,
        "vmSize": (text(settings, "vmSize") or "STANDARD_DS3_V2").upper(),
        "sshSettings": _ssh(mapping(settings, "sshSettings")),
        "createdBy": _USER,
        "state": RUNNING,
    }


def _ssh(sent: Mapping[str, Any]) -> dict[str, Any]:
    access = text(sent, "sshPublicAccess") or "Disabled"
    return {"sshPublicAccess": access, "adminUserName": "azureuser", "sshPort": 50000, "adminPublicKey": None}


def operation(name: str, moment: str) -> dict[str, Any]:
    """Return what is shown as an instance's last operation."""
    return {"operationName": name, "operationTime": moment, "operationStatus": "Succeeded", "operationTrigger": "User"}


def after_action(name: str, settings: Mapping[str, Any], action: str, moment: str) -> dict[str, Any]:
    """Return the settings after an action. Raises `Conflict` when it is not allowed in the instance's state."""
    allowed, state, shown = ACTIONS[action]
    if settings["state"] not in allowed:
        raise Conflict(f"Compute instance {name} is {settings['state']}: it cannot {action}. Start it first.")
    return {**settings, "state": state, "lastOperation": operation(shown, moment)}


def shown_settings(stored: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
    """Return an instance's settings as the wire has them."""
    settings = {"lastOperation": None, **stored["settings"]}
    return settings | dict(_PENDING) if creating else settings
