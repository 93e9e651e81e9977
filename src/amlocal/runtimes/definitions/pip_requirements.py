"""Lines of a pip requirements file, and the arguments of `pip install`, as requirements.

Whatever they name on disk must lie inside the build context, for nothing else reaches Azure either.
"""

import argparse
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import NoReturn

from packaging.requirements import InvalidRequirement, Requirement

from amlocal.core.decoding import read_definition
from amlocal.runtimes.errors import InvalidDefinition
from amlocal.runtimes.runtime import PackageRequirements

# About how pip goes about its work, not about what is installed.
_FLAGS_WITHOUT_EFFECT = """
-U --upgrade -q --quiet -v --verbose -I --ignore-installed --force-reinstall --user --system --no-cache-dir --no-cache
--disable-pip-version-check --no-warn-script-location --break-system-packages --no-input --prefer-binary --compile
--no-compile -y --yes
"""
_OPTIONS_WITHOUT_EFFECT = """
--root-user-action --progress-bar --timeout --default-timeout --retries --upgrade-strategy --cache-dir
"""
# These stand in a requirements file for uv just as they do for pip.
_SOURCES = ("index-url", "extra-index-url", "no-binary", "only-binary")
_REMOTE = re.compile(r"(?:(?:git|hg|svn|bzr)\+)?(?:https?|ssh|git)://", re.IGNORECASE)
_LOCAL = re.compile(r"[./~].*|file:.*|.*\.(?:whl|tar\.gz|zip)(?:\[.*\])?|[^@;\s]*/.*", re.IGNORECASE)
_MAX_LINES = 10_000
_COMMENT = re.compile(r"(^|\s+)#.*$")


class UnsupportedOption(ValueError):
    """A command asks for something that this package does not do; the message says what."""


@dataclass(frozen=True, slots=True)
class PipArguments:
    """What `pip install` was given; `links` are those of `--find-links`, options and flags as uv takes them."""

    packages: tuple[str, ...]
    editables: tuple[str, ...]
    requirement_files: tuple[str, ...]
    constraint_files: tuple[str, ...]
    links: tuple[str, ...]
    options: tuple[str, ...]
    flags: tuple[str, ...]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UnsupportedOption(message)


def parse_pip_arguments(arguments: Sequence[str]) -> PipArguments:
    """Read what follows `pip install`. Raises `UnsupportedOption` for an option whose effect cannot be had here."""
    found = _parser().parse_intermixed_args(arguments)
    sources = [f"--{name} {value}" for name in _SOURCES for value in getattr(found, name.replace("-", "_"))]
    return PipArguments(
        packages=tuple(found.packages),
        editables=tuple(found.editable),
        requirement_files=tuple(found.requirement),
        constraint_files=tuple(found.constraint),
        links=tuple(found.find_links),
        options=tuple((["--no-index"] if found.no_index else []) + sources),
        flags=tuple(
            (["--prerelease", "allow"] if found.pre else [])
            + [part for host in found.trusted_host for part in ("--allow-insecure-host", host)]
        ),
    )


def _parser() -> _Parser:
    parser = _Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("packages", nargs="*")
    for names in (
        ("-r", "--requirement"),
        ("-c", "--constraint"),
        ("-e", "--editable"),
        ("-f", "--find-links"),
        ("-i", "--index-url"),
        ("--extra-index-url",),
        ("--no-binary",),
        ("--only-binary",),
        ("--trusted-host",),
    ):
        parser.add_argument(*names, action="append", default=[])
    for name in ("--pre", "--no-index"):
        parser.add_argument(name, action="store_true")
    for name in _FLAGS_WITHOUT_EFFECT.split():
        parser.add_argument(name, dest="_", action="store_true")
    for name in _OPTIONS_WITHOUT_EFFECT.split():
        parser.add_argument(name, dest="_")
    return parser


@dataclass(frozen=True, slots=True)
class RequirementSource:
    """Where lines stand: `name` for messages; `context`, the folder that holds whatever they may name (None: they may
    name nothing); `folder` inside it, from which relative paths start; `trail`, the requirements files on the way here;
    `number` counts the lines of all of them.
    """

    name: str
    context: Path | None
    folder: Path = Path()
    trail: tuple[Path, ...] = ()
    number: Iterator[int] = field(default_factory=count, compare=False)


def read_lines(lines: Iterable[str], place: RequirementSource) -> PackageRequirements:
    """Read lines one by one, as in the pip section of a conda file. Raises `InvalidDefinition`."""
    required = PackageRequirements()
    for line in filter(None, (_COMMENT.sub("", line).strip() for line in lines)):
        # Files that include others, each of them twice, are more lines than anybody has written.
        if next(place.number) >= _MAX_LINES:
            raise InvalidDefinition(f"{place.name}: there are more than {_MAX_LINES} lines of requirements in all")
        if line.startswith("-"):
            required += read_arguments(_option_line(line, place), place)
        else:
            required += PackageRequirements(requirements=(_requirement(line, place),))
    return required


def read_arguments(arguments: PipArguments, place: RequirementSource) -> PackageRequirements:
    """What `pip install` with these arguments asks for, in that place. Raises `InvalidDefinition`."""
    required = PackageRequirements(
        requirements=tuple(_requirement(package, place) for package in (*arguments.packages, *arguments.editables)),
        options=(*arguments.options, *(f"--find-links {_link(link, place)}" for link in arguments.links)),
        flags=arguments.flags,
        notes=tuple(f"-e {package}: installed as a copy, which outlives its folder" for package in arguments.editables),
    )
    for file in arguments.requirement_files:
        required += _included(file, place)
    for file in arguments.constraint_files:
        included = _included(file, place)
        required += replace(included, requirements=(), constraints=included.requirements)
    return required


def is_remote(text: str) -> bool:
    """Whether it is a URL of another machine, be it a package, a repository or a page of links."""
    return _REMOTE.match(text) is not None


def is_local(requirement: str) -> bool:
    """Whether pip would look for the requirement on disk."""
    return not is_remote(requirement) and _LOCAL.fullmatch(requirement) is not None


def _included(file: str, place: RequirementSource) -> PackageRequirements:
    path = _inside(file, place)
    if path in place.trail:
        raise InvalidDefinition(f"{place.name} includes {file!r}, which includes it in turn")
    try:
        text = read_definition(path)
    except (OSError, ValueError) as error:
        raise InvalidDefinition(f"{place.name}: {file!r} cannot be read: {error}") from error
    lines = re.sub(r"\\\r?\n", " ", text).splitlines()
    return read_lines(
        lines, RequirementSource(path.name, place.context, path.parent, (*place.trail, path), place.number)
    )


def _option_line(line: str, place: RequirementSource) -> PipArguments:
    try:
        arguments = parse_pip_arguments(shlex.split(line))
    except ValueError as error:
        raise InvalidDefinition(f"{place.name}: {line!r}: {error}") from error
    if arguments.packages:
        raise InvalidDefinition(f"{place.name}: {line!r} mixes an option and a requirement; give each a line")
    return arguments


def _requirement(line: str, place: RequirementSource) -> str:
    """The requirement in the form that uv is given; hashes stay with it."""
    text = line.partition(" --")[0].strip()
    if is_remote(text):
        return line
    if is_local(text):
        path, bracket, extras = text.removeprefix("file:").partition("[")
        return f"{_inside(path, place)}{bracket}{extras}"
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise InvalidDefinition(f"{place.name}: {line!r} is not a requirement: {str(error).splitlines()[0]}") from error
    if requirement.url and not is_remote(requirement.url):
        raise InvalidDefinition(
            f"{place.name}: {line!r} names a file of one machine, which Azure has not. Name a version"
        )
    return line


def _link(link: str, place: RequirementSource) -> str:
    return link if is_remote(link) else str(_inside(link, place))


def _inside(text: str, place: RequirementSource) -> Path:
    """The absolute path of something inside the build context. Raises `InvalidDefinition` for anything else."""
    if place.context is None:
        raise InvalidDefinition(
            f"{place.name}: {text!r} is a file, and the definition travels without files. "
            "List the requirements themselves, or use a Docker build context"
        )
    context = place.context.resolve()
    path = (context / place.folder / text).resolve()
    if not path.is_relative_to(context) or not path.exists():
        raise InvalidDefinition(f"{place.name}: {text!r} is not in the build context")
    return path
