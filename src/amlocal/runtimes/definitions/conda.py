"""The structure of a conda environment file, and the recipe that it amounts to for pip."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlocal.core.decoding import read_json
from amlocal.core.yaml_decoding import read_yaml
from amlocal.runtimes.definitions.conda_names import is_python_package, pypi_name
from amlocal.runtimes.definitions.match_spec import MatchSpec, parse_match_spec
from amlocal.runtimes.definitions.requirement_lines import Place, read_lines
from amlocal.runtimes.errors import InvalidDefinition
from amlocal.runtimes.recipe import Recipe

_HOW = "A conda file is a mapping with a list `dependencies` of names like `numpy=2.4` and one `pip:` list"


@dataclass(frozen=True, slots=True)
class CondaFile:
    """The dependencies of a conda environment file, as written; channels and name have no meaning for pip.

    `variables` are the names of environment variables that conda would set on activation.
    """

    packages: tuple[str, ...] = ()
    pip: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


def parse_conda(text: str) -> CondaFile:
    """Read a conda file from YAML, or from the JSON that Azure ML answers. Raises `InvalidDefinition`."""
    try:
        content = read_json(text) if text.lstrip().startswith("{") else read_yaml(text)
    except ValueError as error:
        raise InvalidDefinition(f"the conda file is not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise InvalidDefinition(f"the conda file holds {_kind(content)}, not a mapping. {_HOW}")
    dependencies = _list(content.get("dependencies"), "dependencies")
    return CondaFile(
        packages=tuple(entry for entry in dependencies if isinstance(entry, str)),
        pip=tuple(_pip_lines(dependencies)),
        variables=tuple(_mapping(content.get("variables"), "variables")),
    )


def _pip_lines(dependencies: list[Any]) -> Iterator[str]:
    for number, entry in enumerate(dependencies):
        if isinstance(entry, str):
            continue
        if not isinstance(entry, dict) or set(entry) != {"pip"}:
            raise InvalidDefinition(f"conda file, dependencies[{number}] is {_kind(entry)} that is not `pip:`. {_HOW}")
        for position, line in enumerate(_list(entry["pip"], f"dependencies[{number}].pip")):
            if not isinstance(line, str):
                raise InvalidDefinition(
                    f"conda file, dependencies[{number}].pip[{position}] is {_kind(line)}, not a requirement. {_HOW}"
                )
            yield line


def _list(value: Any, where: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidDefinition(f"conda file, {where} is {_kind(value)}, not a list. {_HOW}")
    return value


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidDefinition(f"conda file, {where} is {_kind(value)}, not a mapping. {_HOW}")
    return {str(key): item for key, item in value.items()}


def _kind(value: Any) -> str:
    return "empty" if value is None else f"the {type(value).__name__} {json.dumps(value, default=str)[:60]}"


def conda_recipe(conda: CondaFile, context: Path | None = None) -> Recipe:
    """Translate the file for pip; `context` is the folder in which its pip lines may name files.

    Raises `InvalidDefinition`.
    """
    recipe = Recipe(
        notes=tuple(f"{name}: environment variables of a conda file are not set" for name in conda.variables)
    )
    for text in conda.packages:
        recipe += package_recipe(parse_match_spec(text))
    return recipe + read_lines(conda.pip, Place("conda file, pip", context))


def package_recipe(spec: MatchSpec) -> Recipe:
    """What one conda package asks of Python."""
    if spec.name == "python":
        return Recipe(python=spec.specifiers)
    if spec.name == "pip":
        # It is how conda installs the pip section. Here uv installs, so a version of pip would force a build in vain.
        return Recipe(notes=(f"{spec}: uv installs in its place",) if spec.specifiers else ())
    if not is_python_package(spec.name):
        return Recipe(notes=(f"{spec}: not a Python package, skipped",))
    return Recipe(requirements=(f"{pypi_name(spec.name)}{spec.specifiers}",))
