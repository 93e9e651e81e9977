"""The settings of one environment: every key declared once with the check of its value, every value with its source."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from mlgates.config.project import Project

Check: TypeAlias = Callable[[str], str | None]

# Azure ML: assets and experiments 1 to 255 characters; endpoints 3 to 32, and '-<environment>' is added to ours.
_ASSET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_ENDPOINT = re.compile(r"[a-z][a-z0-9-]{1,25}")
_WORKSPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,32}")
_GROUP = re.compile(r"[A-Za-z0-9_().-]{0,89}[A-Za-z0-9_()-]")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


LOCAL = "local"


def matching(pattern: re.Pattern[str], rule: str) -> Check:
    """Return a check that wants the whole value to match `pattern`, told as `rule`."""
    return lambda value: None if pattern.fullmatch(value) else f"must be {rule}"


def one_of(*choices: str) -> Check:
    """Return a check for a closed set of words."""
    return lambda value: None if value in choices else f"must be one of {', '.join(choices)}"


def relative_path(value: str) -> str | None:
    """Want a path inside the project, with forward slashes."""
    path = PurePosixPath(value)
    inside = value.strip() and not path.is_absolute() and ".." not in path.parts and "\\" not in value
    return None if inside else "must be a relative path with forward slashes and without '..'"


asset_name = matching(_ASSET, "letters, digits, '-', '_' or '.', at most 255 characters")
endpoint_name = matching(_ENDPOINT, "2 to 26 lower-case letters, digits or '-', a letter first")
workspace_name = matching(_WORKSPACE, "3 to 33 letters, digits, '-' or '_'")
resource_group = matching(_GROUP, "1 to 90 letters, digits, '-', '_', '.' or brackets, no '.' at the end")
milliseconds = matching(re.compile(r"[1-9][0-9]{0,5}"), "a whole number of milliseconds from 1 to 999999")
guid_or_empty = matching(re.compile(f"({_GUID.pattern})?"), "a GUID, or empty while there is no subscription")


class Target(StrEnum):
    """What stands behind an environment's name."""

    LOCAL = "local"
    STAND_IN = "local stand-in"
    """An environment whose subscription is not filled in yet: a local workspace of its name."""
    AZURE = "Azure"


class Scope(StrEnum):
    """Which file declares a key."""

    SHARED = "shared"
    INFRA = "infra"


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the configuration files; its name in them is the field's in capitals."""

    check: Check
    scope: Scope = Scope.SHARED
    secret: bool = False


def _key(check: Check, scope: Scope = Scope.SHARED, *, secret: bool = False) -> Any:
    return field(metadata={"key": Key(check, scope, secret)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a run needs to know, for one environment of one project."""

    project: Project
    environment: str
    sources: Mapping[str, str]
    """For each key, the file or environment variable that gave its value."""

    training_environment_name: str = _key(asset_name)
    """The environment that training runs in."""
    training_dataset_name: str = _key(asset_name)
    """The data asset of the training set."""
    training_experiment_name: str = _key(asset_name)
    """The experiment that training jobs are tracked in."""
    model_name: str = _key(asset_name)
    """The registered model."""
    model_path: str = _key(relative_path)
    """The folder among a run's artifacts that training keeps the model in."""
    batch_endpoint_name: str = _key(endpoint_name)
    """The batch endpoint; in the workspace its name ends in `-ENV`."""
    batch_deployment_name: str = _key(endpoint_name)
    """The batch deployment that `mlgates deploy` makes."""
    batch_sample_request: str = _key(relative_path)
    """The file of the smoke test of the batch endpoint."""
    batch_request_type: str = _key(one_of("uri_file", "uri_folder"))
    """What a batch call is given: a file, or a folder."""
    online_endpoint_name: str = _key(endpoint_name)
    """The online endpoint; in the workspace its name ends in `-ENV`."""
    online_deployment_name: str = _key(endpoint_name)
    """The online deployment that `mlgates deploy` makes; a release takes `blue` and `green`."""
    online_sample_request: str = _key(relative_path)
    """The request of the smoke test of the online endpoint."""
    online_latency_limit_ms: str = _key(milliseconds)
    """What the median answer of the online endpoint to its sample may take, seen from where the suite runs."""

    azure_subscription_id: str = _key(guid_or_empty, Scope.INFRA, secret=True)
    """The subscription; while it is empty the environment is a local stand-in."""
    resource_group_name: str = _key(resource_group, Scope.INFRA)
    """The resource group of the workspace."""
    aml_workspace_name: str = _key(workspace_name, Scope.INFRA)
    """The workspace."""

    @property
    def target(self) -> Target:
        """What this environment is: `local` is always local, the others are Azure once they are filled in."""
        if self.environment == LOCAL:
            return Target.LOCAL
        return Target.AZURE if self.azure_subscription_id else Target.STAND_IN

    @property
    def batch_endpoint(self) -> str:
        """The batch endpoint's name in the workspace."""
        return f"{self.batch_endpoint_name}-{self.environment}"

    @property
    def online_endpoint(self) -> str:
        """The online endpoint's name in the workspace."""
        return f"{self.online_endpoint_name}-{self.environment}"

    def shown(self) -> Mapping[str, tuple[str, str]]:
        """Return each key with its value, secrets starred but for their last four characters, and its source."""
        return {
            name: (_starred(value) if KEYS[name].secret else value, self.sources[name])
            for name in KEYS
            for value in (getattr(self, name.lower()),)
        }


KEYS: Mapping[str, Key] = {
    each.name.upper(): each.metadata["key"] for each in fields(Settings) if "key" in each.metadata
}


def _starred(value: str) -> str:
    return "*" * 8 + value[-4:] if value else value
