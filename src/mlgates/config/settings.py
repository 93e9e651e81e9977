"""The settings of one environment: every key declared once, every value read, checked, and kept with its source."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

import yaml

from mlgates.config.project import Project, parse_yaml
from mlgates.core.errors import ConfigurationError
from mlgates.core.nearest import did_you_mean, is_mistyped

Check: TypeAlias = Callable[[str], str | None]

# Azure ML: assets and experiments 1 to 255 characters; endpoints 3 to 32, and '-<environment>' is added to ours.
_ASSET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
_ENDPOINT = re.compile(r"[a-z][a-z0-9-]{1,25}")
_WORKSPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,32}")
_GROUP = re.compile(r"[A-Za-z0-9_().-]{0,89}[A-Za-z0-9_()-]")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

LOCAL = "local"
REQUIRE_AZURE = "MLGATES_REQUIRE_AZURE"
_ABSENT = object()
_SHAPES = "a mapping (KEY: value) or a list (- name: KEY, value: ...)"


def matching(pattern: re.Pattern[str], rule: str) -> Check:
    """Return a check that wants the whole value to match `pattern`, which a message calls `rule`."""
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
    scope: Scope
    secret: bool


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


def load_settings(
    project: Project, environment: str, *, environ: Mapping[str, str], require_azure: bool = False
) -> Settings:
    """Return the settings of `environment`; a variable in `environ` wins over the file's value of the same name.

    Raises `ConfigurationError` that lists everything wrong at once, and, when Azure is required (by argument or by
    `MLGATES_REQUIRE_AZURE` in `environ`), for an environment that is only a local stand-in.
    """
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    complaints: list[str] = []
    for scope, file in _files(project, environment):
        shown = project.shown(file)
        variables = read_variables(file, shown)
        complaints += _misplaced(variables, scope, shown)
        for name in (name for name, key in KEYS.items() if key.scope is scope):
            values[name], sources[name] = _pick(name, variables, shown, environ)
            complaints += _wrong(name, values[name], sources[name])
    if complaints:
        raise ConfigurationError("\n".join(complaints))
    texts = {name.lower(): str(value) for name, value in values.items()}
    settings = Settings(project=project, environment=environment, sources=sources, **texts)
    _refuse_stand_in(settings, required=require_azure or _is_set(environ.get(REQUIRE_AZURE, "")))
    return settings


def _files(project: Project, environment: str) -> tuple[tuple[Scope, Path], ...]:
    return (Scope.SHARED, project.names_file), (Scope.INFRA, project.infra_file(environment))


def _misplaced(variables: Mapping[str, object], scope: Scope, shown: str) -> Iterator[str]:
    here = [name for name, key in KEYS.items() if key.scope is scope]
    for name in variables:
        if name in here:
            continue
        if name in KEYS:
            home = "config-mlops.yml" if scope is Scope.INFRA else "config-infra-<environment>.yml"
            yield f"{shown}: {name} belongs in mlops/{home}"
        elif is_mistyped(name, here):
            yield f"{shown}: unknown key '{name}'. {did_you_mean(name, here)}"
        # Any other variable is the pipelines' own: they read this file as well.


def _pick(name: str, variables: Mapping[str, object], shown: str, environ: Mapping[str, str]) -> tuple[object, str]:
    if name in environ:
        return environ[name], "environment variable"
    return variables.get(name, _ABSENT), shown


def _wrong(name: str, value: object, source: str) -> Iterator[str]:
    if value is _ABSENT:
        yield f"{source}: {name} is missing: add it, or set the environment variable {name}"
    elif not isinstance(value, str):
        yield f"{source}: {name} must be text, not {_kind(value)}: put the value in quotes"
    elif complaint := KEYS[name].check(value):
        yield f"{source}: {name} {complaint}" + ("" if KEYS[name].secret else f", not '{value}'")


def _kind(value: object) -> str:
    return "empty (null)" if value is None else f"{type(value).__name__} ({value})"


def _refuse_stand_in(settings: Settings, *, required: bool) -> None:
    if required and settings.target is Target.STAND_IN:
        raise ConfigurationError(
            f"Azure is required, and '{settings.environment}' is only a local stand-in: fill in AZURE_SUBSCRIPTION_ID "
            f"({settings.sources['AZURE_SUBSCRIPTION_ID']}), or run without --require-azure and {REQUIRE_AZURE}"
        )


def _is_set(text: str) -> bool:
    return text.strip().lower() not in {"", "0", "false", "no"}


def read_variables(file: Path, shown: str) -> Mapping[str, object]:
    """Return the variables of `file` as YAML typed them; messages call the file `shown`.

    Raises `ConfigurationError` when the file is missing, is no YAML, or has another shape.
    """
    document = _parse(file, shown)
    variables = document.get("variables") if isinstance(document, dict) else None
    if isinstance(variables, dict):
        return {str(name): value for name, value in variables.items()}
    if isinstance(variables, list):
        return dict(_pairs(variables, shown))
    raise ConfigurationError(f"{shown}: the top-level key 'variables' must hold {_SHAPES}")


def _parse(file: Path, shown: str) -> object:
    try:
        return parse_yaml(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(f"{shown} is not there: a project declares its names in it (README)") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{shown} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{shown} is not valid YAML: {_one_line(error)}") from error


def _one_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return place + (getattr(error, "problem", None) or " ".join(str(error).split()))


def _pairs(items: list[object], shown: str) -> Iterator[tuple[str, object]]:
    for index, item in enumerate(items):
        if isinstance(item, dict) and "name" in item and "value" in item:
            yield str(item["name"]), item["value"]
        elif not (isinstance(item, dict) and item.keys() & {"group", "template"}):
            # groups and templates are the pipeline's own: their values arrive as environment variables
            raise ConfigurationError(f"{shown}, variables[{index}]: a list item needs 'name' and 'value'")
