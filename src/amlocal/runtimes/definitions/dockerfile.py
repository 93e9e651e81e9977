"""What a Dockerfile installs for Python, as a recipe.

Nothing is executed. Requirements that `pip install` and conda commands name, and the files of the build context that
they read, are honoured; every other command is a note for the log.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from amlocal.core.decoding import read_definition
from amlocal.runtimes.definitions.conda import conda_recipe, package_recipe, parse_conda
from amlocal.runtimes.definitions.docker_image import DockerImage
from amlocal.runtimes.definitions.dockerfile_syntax import Instruction, instructions, run_commands
from amlocal.runtimes.definitions.install_commands import CondaEnvironment, CondaPackages, recognise
from amlocal.runtimes.definitions.match_spec import parse_match_spec
from amlocal.runtimes.definitions.pip_options import NotHonoured, parse_pip_arguments
from amlocal.runtimes.definitions.requirement_lines import Place, is_local, is_remote, read_arguments
from amlocal.runtimes.errors import InvalidDefinition
from amlocal.runtimes.recipe import Recipe
from amlocal.runtimes.spec import BuildContext


def dockerfile_recipe(build: BuildContext) -> Recipe:
    """Read the Dockerfile's last stage and those it builds on. Raises `InvalidDefinition`."""
    try:
        text = read_definition(build.folder / build.dockerfile)
    except (OSError, ValueError) as error:
        raise InvalidDefinition(f"{build.dockerfile} of the build context cannot be read: {error}") from error
    image = DockerImage(build.folder.resolve())
    stages: dict[str, DockerImage] = {}
    for instruction in instructions(text):
        try:
            stages[image.stage] = image
            image = _after(instruction, image, stages)
        except ValueError as error:
            raise InvalidDefinition(
                f"{build.dockerfile}: {instruction.keyword} {instruction.rest!r} cannot be read: {error}"
            ) from error
    if image.environment:
        image = image.with_note(f"ENV is not set in jobs: {', '.join(dict.fromkeys(image.environment))}")
    return image.recipe


def _from(rest: str, before: DockerImage, stages: Mapping[str, DockerImage]) -> DockerImage:
    base, *alias = [word for word in rest.split() if not word.startswith("--")]
    stage = alias[-1] if alias else ""
    if base in stages:
        return replace(stages[base], stage=stage)
    return DockerImage(before.context, stage).with_note(f"packages that only the image {base} has are not available")


def _after(instruction: Instruction, image: DockerImage, stages: Mapping[str, DockerImage]) -> DockerImage:
    """The image after an instruction. Raises `ValueError` when that cannot be read."""
    rest = image.expand(instruction.rest)
    match instruction.keyword:
        case "FROM":
            return _from(rest, image, stages)
        case "RUN":
            return _run(image, rest)
        case "WORKDIR":
            return replace(image, workdir=image.path(rest))
        case "ARG":
            return replace(image, variables=_assigned(rest) | image.variables)
        case "ENV":
            assigned = _assigned(rest)
            return replace(image, variables=image.variables | assigned, environment=(*image.environment, *assigned))
        case "COPY" | "ADD" if not rest.startswith("--from"):
            *sources, target = _words(rest)
            for source in sources:
                image = image.with_copy(source, target)
    return image


def _words(rest: str) -> list[str]:
    """What COPY copies and where to, from its plain or its JSON form, without options."""
    while rest.startswith("--"):
        rest = rest.partition(" ")[2].lstrip()
    return [str(word) for word in json.loads(rest)] if rest.startswith("[") else rest.split()


def _assigned(rest: str) -> dict[str, str]:
    """Names and values of ENV and ARG; a name without a value is left out."""
    words = shlex.split(rest)
    if len(words) > 1 and "=" not in words[0]:  # the old form of ENV: a name, then all the rest
        return {words[0]: " ".join(words[1:])}
    return dict(word.split("=", 1) for word in words if "=" in word)


def _run(image: DockerImage, rest: str) -> DockerImage:
    try:
        commands = list(run_commands(rest))
    except ValueError as error:
        return image.with_note(f"not executed: {rest} ({error})")
    for command in commands:
        try:
            image = image.with_recipe(_installed(image, command))
        except NotHonoured as reason:
            image = image.with_note(f"not executed: {shlex.join(command)} ({reason})")
    return image


def _installed(image: DockerImage, command: Sequence[str]) -> Recipe:
    """What a command installs. Raises `NotHonoured`."""
    install = recognise(command)
    if unknown := next((word for word in command if "$" in word), None):
        raise NotHonoured(f"the value of {unknown} is not known here")
    match install:
        case CondaEnvironment(file):
            return conda_recipe(parse_conda(_conda_text(image.source(file))), image.context)
        case CondaPackages(specs):
            return sum((package_recipe(parse_match_spec(spec)) for spec in specs), Recipe())
    return _pip_installed(image, install.arguments)


def _conda_text(file: Path) -> str:
    try:
        return read_definition(file)
    except (OSError, ValueError) as error:
        raise InvalidDefinition(f"the conda file {file.name} of the build context cannot be read: {error}") from error


def _pip_installed(image: DockerImage, words: Sequence[str]) -> Recipe:
    arguments = parse_pip_arguments(words)
    arguments = replace(
        arguments,
        packages=tuple(_package(image, package) for package in arguments.packages if not _is_pip(package)),
        editables=tuple(_package(image, package) for package in arguments.editables),
        requirement_files=tuple(str(image.source(file)) for file in arguments.requirement_files),
        constraint_files=tuple(str(image.source(file)) for file in arguments.constraint_files),
        links=tuple(link if is_remote(link) else str(image.source(link)) for link in arguments.links),
    )
    return read_arguments(arguments, Place("Dockerfile, pip install", image.context))


def _package(image: DockerImage, text: str) -> str:
    if not is_local(text):
        return text
    path, bracket, extras = text.partition("[")
    return f"{image.source(path)}{bracket}{extras}"


def _is_pip(package: str) -> bool:
    """Whether it is the installer that `pip install --upgrade pip` renews: here uv installs."""
    try:
        return Requirement(package).name == "pip"
    except InvalidRequirement:
        return False
