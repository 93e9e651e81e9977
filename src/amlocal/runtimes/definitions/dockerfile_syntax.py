"""A Dockerfile as instructions, the text of a RUN as commands, and which of them install Python packages.

Source: Docker's Dockerfile reference.
"""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from amlocal.runtimes.definitions.pip_requirements import UnsupportedOption

_HEREDOC = re.compile(r"<<-?[\"']?(\w+)[\"']?")
_RUN_OPTIONS = re.compile(r"(--\w+=\S+\s+)+")
_SHELL_COMMENT = re.compile(r"(^|\s)#[^\n]*")
_OPERATORS = frozenset(";&|<>()\n")
_ASSIGNMENT = re.compile(r"\w+=.*")
_CONDA = frozenset({"conda", "mamba", "micromamba"})
_CONDA_VALUED = frozenset({"-n", "--name", "-p", "--prefix", "-c", "--channel", "--solver", "--cwd"})
_CONDA_FILE = re.compile(r"-f|--file")


@dataclass(frozen=True, slots=True)
class Instruction:
    """`keyword` in capitals; `rest` is the remainder of the statement, continuation lines and here-documents joined."""

    keyword: str
    rest: str


def instructions(text: str) -> Iterator[Instruction]:
    """Every instruction, in order."""
    lines = iter(text.splitlines())
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        statement = line
        while statement.rstrip().endswith("\\"):
            following = next(lines, "")
            if not following.lstrip().startswith("#"):
                statement = f"{statement.rstrip()[:-1]} {following}"
        keyword, _, rest = statement.strip().partition(" ")
        for tag in _HEREDOC.findall(rest):
            rest = "\n".join((_HEREDOC.sub("", rest, count=1), *_until(tag, lines)))
        yield Instruction(keyword.upper(), rest.strip())


def _until(tag: str, lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line.strip() == tag:
            return
        yield line


def run_commands(rest: str) -> Iterator[tuple[str, ...]]:
    """The simple commands of a RUN instruction, in the shell form or the JSON form. Raises `ValueError`."""
    rest = _RUN_OPTIONS.sub("", rest, count=1) if rest.startswith("--") else rest
    if not rest.startswith("["):
        yield from _shell_commands(rest)
        return
    words = [str(word) for word in json.loads(rest)]
    if "-c" in words:
        yield from _shell_commands(words[-1])
    else:
        yield tuple(words)


def _shell_commands(text: str) -> Iterator[tuple[str, ...]]:
    """Words between the shell's operators. An unquoted `numpy>=2` is `numpy` and a redirection, as it is to Docker."""
    lexer = shlex.shlex(_SHELL_COMMENT.sub(r"\1", text), posix=True, punctuation_chars="".join(_OPERATORS))
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    words: list[str] = []
    for token in lexer:
        if not _OPERATORS.issuperset(token):
            words.append(token)
        elif {"<", ">"} & set(token):
            next(lexer, None)
            words = words[:-1] if words and words[-1].isdigit() else words  # the 2 of `2>&1`
        elif words:
            yield tuple(words)
            words = []
    if words:
        yield tuple(words)


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


def parse_install(command: Sequence[str]) -> InstallCommand:
    """The installation that a command is. Raises `UnsupportedOption` for any other command."""
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
            return parse_install(_without_options(rest, stop=True))
        case [program, "env", "create" | "update", *rest] if program in _CONDA:
            return CondaEnvironment(_file(rest))
        case [program, "create" | "install", *rest] if program in _CONDA:
            return CondaPackages(tuple(_without_options(rest)))
    raise UnsupportedOption("not a way of installing Python packages that is known here")


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
            raise UnsupportedOption("conda's own list files are not read")
        elif not word.startswith("-"):
            kept.append(word)
    return kept


def _file(words: Sequence[str]) -> str:
    for number, word in enumerate(words):
        option, _, value = word.partition("=")
        if option in {"-f", "--file"}:
            return value or "".join(words[number + 1 : number + 2])
    return "environment.yml"
