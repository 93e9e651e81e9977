"""The settings of one environment: every key declared once, every value with its source."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from mlgates.config import checks
from mlgates.config.checks import Check
from mlgates.config.project import Project

LOCAL = "local"


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

    training_environment_name: str = _key(checks.asset_name)
    """The environment that training runs in."""
    training_dataset_name: str = _key(checks.asset_name)
    """The data asset of the training set."""
    training_experiment_name: str = _key(checks.asset_name)
    """The experiment that training jobs are tracked in."""
    model_name: str = _key(checks.asset_name)
    """The registered model."""
    model_path: str = _key(checks.relative_path)
    """The folder among a run's artifacts that training keeps the model in."""
    batch_endpoint_name: str = _key(checks.endpoint_name)
    """The batch endpoint; in the workspace its name ends in `-ENV`."""
    batch_deployment_name: str = _key(checks.endpoint_name)
    """The batch deployment that `mlgates deploy` makes."""
    batch_sample_request: str = _key(checks.relative_path)
    """The file that the batch endpoint is tried with."""
    batch_request_type: str = _key(checks.one_of("uri_file", "uri_folder"))
    """What a batch call is given: a file, or a folder."""
    online_endpoint_name: str = _key(checks.endpoint_name)
    """The online endpoint; in the workspace its name ends in `-ENV`."""
    online_deployment_name: str = _key(checks.endpoint_name)
    """The online deployment that `mlgates deploy` makes; a release takes `blue` and `green`."""
    online_sample_request: str = _key(checks.relative_path)
    """The request that the online endpoint is tried with."""
    online_latency_limit_ms: str = _key(checks.milliseconds)
    """What the median answer of the online endpoint to its sample may take, seen from where the suite runs."""

    azure_subscription_id: str = _key(checks.guid_or_empty, Scope.INFRA, secret=True)
    """The subscription; while it is empty the environment is a local stand-in."""
    resource_group_name: str = _key(checks.resource_group, Scope.INFRA)
    """The resource group of the workspace."""
    aml_workspace_name: str = _key(checks.workspace_name, Scope.INFRA)
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
