"""A Dockerfile as instructions, and the text of a RUN as commands. Source: Docker's Dockerfile reference."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

_HEREDOC = re.compile(r"<<-?[\"']?(\w+)[\"']?")
_RUN_OPTIONS = re.compile(r"(--\w+=\S+\s+)+")
_SHELL_COMMENT = re.compile(r"(^|\s)#[^\n]*")
_OPERATORS = frozenset(";&|<>()\n")


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
