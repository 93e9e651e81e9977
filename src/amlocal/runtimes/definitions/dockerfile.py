"""What a Dockerfile installs for Python, as requirements.

Nothing is executed. Requirements that `pip install` and conda commands name, and the files of the build context that
they read, are honoured; every other command is a note for the log.
"""

import json
import posixpath
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from string import Template

from packaging.requirements import InvalidRequirement, Requirement

from amlocal.core.decoding import read_definition
from amlocal.runtimes.definitions.conda import conda_requirements, package_requirements, parse_conda, parse_match_spec
from amlocal.runtimes.definitions.dockerfile_syntax import (
    CondaEnvironment,
    CondaPackages,
    Instruction,
    instructions,
    parse_install,
    run_commands,
)
from amlocal.runtimes.definitions.pip_requirements import (
    RequirementSource,
    UnsupportedOption,
    is_local,
    is_remote,
    parse_pip_arguments,
    read_arguments,
)
from amlocal.runtimes.errors import InvalidDefinition
from amlocal.runtimes.runtime import PackageRequirements

_ROOT = PurePosixPath("/")


@dataclass(frozen=True, slots=True)
class BuildContext:
    """A Docker build context on disk; `dockerfile` is a path inside `folder`."""

    folder: Path
    dockerfile: str = "Dockerfile"


@dataclass(frozen=True, slots=True)
class DockerImage:
    """An image so far.

    `copies` are pairs of a path in the image and the file or folder of the build context that was copied there.
    `variables` are those of ARG and ENV, `environment` the names of the latter.
    """

    context: Path
    stage: str = ""
    workdir: PurePosixPath = _ROOT
    copies: tuple[tuple[PurePosixPath, Path], ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    environment: tuple[str, ...] = ()
    required: PackageRequirements = field(default_factory=PackageRequirements)

    def requiring(self, required: PackageRequirements) -> "DockerImage":
        """The image in which `required` is installed too."""
        return replace(self, required=self.required + required)

    def with_note(self, note: str) -> "DockerImage":
        """The image about which `note` is to be said in the log."""
        return self.requiring(PackageRequirements(notes=(f"Dockerfile: {note}",)))

    def with_copy(self, pattern: str, target: str) -> "DockerImage":
        """The image after `COPY pattern target`, a pattern of the build context."""
        pattern = posixpath.normpath(pattern.lstrip("/"))
        sources = [self.context] if pattern == "." else sorted(self.context.glob(pattern))
        destination = self.path(target)
        copied = [(destination, source) for source in sources]
        # A file is copied to a name or into a folder; which one, only the image knows. Both names find it.
        copied += [(destination / source.name, source) for source in sources if source.is_file()]
        return replace(self, copies=(*self.copies, *copied))

    def expand(self, text: str) -> str:
        """`text` with the variables that are known filled in."""
        return Template(text).safe_substitute(self.variables)

    def path(self, text: str) -> PurePosixPath:
        """An absolute path in the image."""
        return PurePosixPath(posixpath.normpath(self.workdir / text))

    def source(self, text: str) -> Path:
        """The file or folder of the build context that lies at this path of the image. Raises `UnsupportedOption`."""
        target = self.path(text)
        for destination, source in reversed(self.copies):
            if target.is_relative_to(destination):
                found = source / target.relative_to(destination)
                if found.exists() and found.resolve().is_relative_to(self.context):
                    return found
        raise UnsupportedOption(f"{text} is not copied from the build context")


def dockerfile_requirements(build: BuildContext) -> PackageRequirements:
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
    return image.required


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
            image = image.requiring(_installed(image, command))
        except UnsupportedOption as reason:
            image = image.with_note(f"not executed: {shlex.join(command)} ({reason})")
    return image


def _installed(image: DockerImage, command: Sequence[str]) -> PackageRequirements:
    """What a command installs. Raises `UnsupportedOption`."""
    install = parse_install(command)
    if unknown := next((word for word in command if "$" in word), None):
        raise UnsupportedOption(f"the value of {unknown} is not known here")
    match install:
        case CondaEnvironment(file):
            return conda_requirements(parse_conda(_conda_text(image.source(file))), image.context)
        case CondaPackages(specs):
            return sum((package_requirements(parse_match_spec(spec)) for spec in specs), PackageRequirements())
    return _pip_installed(image, install.arguments)


def _conda_text(file: Path) -> str:
    try:
        return read_definition(file)
    except (OSError, ValueError) as error:
        raise InvalidDefinition(f"the conda file {file.name} of the build context cannot be read: {error}") from error


def _pip_installed(image: DockerImage, words: Sequence[str]) -> PackageRequirements:
    arguments = parse_pip_arguments(words)
    arguments = replace(
        arguments,
        packages=tuple(_package(image, package) for package in arguments.packages if not _is_pip(package)),
        editables=tuple(_package(image, package) for package in arguments.editables),
        requirement_files=tuple(str(image.source(file)) for file in arguments.requirement_files),
        constraint_files=tuple(str(image.source(file)) for file in arguments.constraint_files),
        links=tuple(link if is_remote(link) else str(image.source(link)) for link in arguments.links),
    )
    return read_arguments(arguments, RequirementSource("Dockerfile, pip install", image.context))


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
