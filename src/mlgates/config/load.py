"""How settings come about: variable file of Azure DevOps, then environment variable; validated whole."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from mlgates.config.project import Project
from mlgates.config.settings import KEYS, Scope, Settings, Target
from mlgates.core.errors import ConfigurationError
from mlgates.core.nearest import did_you_mean

REQUIRE_AZURE = "MLGATES_REQUIRE_AZURE"


_ABSENT = object()
_SHAPES = "a mapping (KEY: value) or a list (- name: KEY, value: ...)"


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
        else:
            yield f"{shown}: unknown key '{name}'. {did_you_mean(name, here)}"


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
        return yaml.safe_load(file.read_text(encoding="utf-8"))
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
