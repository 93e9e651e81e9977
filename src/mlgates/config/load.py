"""How settings come about: file, then environment variable; validated whole."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from mlgates.config.project import Project
from mlgates.config.settings import KEYS, Scope, Settings, Target
from mlgates.config.variables import read_variables
from mlgates.core.errors import ConfigurationError
from mlgates.core.nearest import did_you_mean

REQUIRE_AZURE = "MLGATES_REQUIRE_AZURE"


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


_ABSENT = object()
