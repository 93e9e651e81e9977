"""How an Azure DevOps variable file is read: a mapping, or a list of names and values."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from mlgates.core.errors import ConfigurationError

_SHAPES = "a mapping (KEY: value) or a list (- name: KEY, value: ...)"


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
