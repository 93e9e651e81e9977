"""How a file of declarations (gates.yml, release.yml) is read, and how its mistakes are worded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from mlgates.config.project import parse_yaml
from mlgates.core.errors import ConfigurationError
from mlgates.core.nearest import did_you_mean

M = TypeVar("M", bound=BaseModel)


class Strict(BaseModel):
    """A declaration that takes no key that it does not know, and no text where a number is required."""

    # The docstrings of the fields become their descriptions: the reference in docs/ is made from them.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)


def read_yaml(file: Path, shown: str, why: str) -> Any:
    """Return the content of `file`; `shown` is its name in messages, `why` what it is there for.

    Raises `ConfigurationError` when it is not there or no YAML.
    """
    try:
        return parse_yaml(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigurationError(f"{shown} is not there: {why}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{shown} is not YAML: {' '.join(str(error).split())}") from error


def parsed(where: str, declared: type[M], content: Any) -> M:
    """Return `content` as what `declared` describes; nothing at all stands for all defaults.

    Raises `ConfigurationError` for the first thing wrong with it: where it is, and what would be right.
    """
    try:
        return declared.model_validate({} if content is None else content)
    except ValidationError as error:
        raise ConfigurationError(_complaint(where, declared, error)) from error


def _complaint(where: str, declared: type[BaseModel], error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join([where, *(str(part) for part in first["loc"])])
    if first["type"] == "extra_forbidden":
        parent, _, wrong = place.rpartition(".")
        known = declared.model_fields if len(first["loc"]) == 1 else _fields_at(declared, first["loc"][:-1])
        return f"{parent}: unknown key '{wrong}'. {did_you_mean(wrong, known)}"
    message = first["msg"].removeprefix("Value error, ")
    found = f", not {first['input']!r}" if first["type"] not in {"missing", "value_error"} else ""
    return f"{place}: {message[0].lower()}{message[1:]}{found}"


def _fields_at(declared: type[BaseModel], path: tuple[int | str, ...]) -> Mapping[str, Any]:
    """Return the fields of the model that lies at `path` in `declared`; none when it is no model."""
    node: Any = declared.model_json_schema()
    definitions = node.get("$defs", {})
    for part in path:
        node = node.get("properties", {}).get(part) or node.get("additionalProperties") or node.get("items") or {}
        node = definitions.get(str(node.get("$ref", "")).rpartition("/")[2], node)
    return dict(node.get("properties", {}))
