"""Recognises the commands of a Dockerfile that install Python packages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from amlocal.runtimes.definitions.pip_options import NotHonoured

_ASSIGNMENT = re.compile(r"\w+=.*")
_CONDA = frozenset({"conda", "mamba", "micromamba"})
_CONDA_VALUED = frozenset({"-n", "--name", "-p", "--prefix", "-c", "--channel", "--solver", "--cwd"})
_CONDA_FILE = re.compile(r"-f|--file")


@dataclass(frozen=True, slots=True)
class PipInstall:
    """`arguments` is what follows `pip install`."""

    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CondaEnvironment:
    """`conda env create` or `update` from a file, by its path in the image."""

    file: str


@dataclass(frozen=True, slots=True)
class CondaPackages:
    """`conda create` or `install` of match specifications."""

    specs: tuple[str, ...]


InstallCommand = PipInstall | CondaEnvironment | CondaPackages


def recognise(command: Sequence[str]) -> InstallCommand:
    """The installation that a command is. Raises `NotHonoured` for any other command."""
    words = list(command)
    while words and (_ASSIGNMENT.fullmatch(words[0]) or words[0] == "sudo"):
        del words[0]
    words[:1] = [PurePosixPath(word).name for word in words[:1]]
    match words:
        case [program, "install", *rest] if re.fullmatch(r"pip[\d.]*", program):
            return PipInstall(tuple(rest))
        case [program, "-m", "pip", "install", *rest] if re.fullmatch(r"python[\d.]*", program):
            return PipInstall(tuple(rest))
        case ["uv", "pip", "install", *rest]:
            return PipInstall(tuple(rest))
        case [program, "run", *rest] if program in _CONDA:
            return recognise(_without_options(rest, stop=True))
        case [program, "env", "create" | "update", *rest] if program in _CONDA:
            return CondaEnvironment(_file(rest))
        case [program, "create" | "install", *rest] if program in _CONDA:
            return CondaPackages(tuple(_without_options(rest)))
    raise NotHonoured("not a way of installing Python packages that is known here")


def _without_options(words: Sequence[str], *, stop: bool = False) -> list[str]:
    """The words that are neither an option of conda nor its value; with `stop`, all that follow the options."""
    kept: list[str] = []
    remaining = iter(words)
    for word in remaining:
        if kept and stop:
            kept.append(word)
        elif word in _CONDA_VALUED:
            next(remaining, None)
        elif _CONDA_FILE.match(word):
            raise NotHonoured("conda's own list files are not read")
        elif not word.startswith("-"):
            kept.append(word)
    return kept


def _file(words: Sequence[str]) -> str:
    for number, word in enumerate(words):
        option, _, value = word.partition("=")
        if option in {"-f", "--file"}:
            return value or "".join(words[number + 1 : number + 2])
    return "environment.yml"
