"""The commands that the documentation shows in its `bash` blocks, and whether each could be typed."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from amlocal.cli import app as amlocal_app
from mlgates.cli.app import app as mlgates_app
from tests.contract.mlgates.test_ci_calls import called, sessions

ROOT = Path(__file__).resolve().parents[3]
PROGRAMS = {"mlgates": mlgates_app, "amlocal": amlocal_app}
USAGE_ERROR: Any = typer.BadParameter.__base__
"""click's; typer has a copy of click that it does not show."""
_BLOCK = re.compile(r"^ *```bash\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Shown:
    """A command as a page shows it."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {shlex.join(self.words)}"


def pages() -> list[Path]:
    """What tells people what to type."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


def shown() -> list[Shown]:
    """Return every command of ours that a page shows."""
    found = (
        Shown(page.relative_to(ROOT).as_posix(), words) for page in pages() for words in commands(page.read_text())
    )
    return [each for each in found if complaint(each.words) is not None]


def commands(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of each command in the `bash` blocks of `text`, a pipe or `&&` between two."""
    for block in _BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;")
            lexer.whitespace_split = True
            yield from _split(list(lexer))


def complaint(words: tuple[str, ...]) -> str | None:
    """Return what is wrong with a command, '' for nothing, None for a command that is not ours."""
    if words[:2] == ("python", "-m"):
        words = words[2:]
    program, *rest = words or ("",)
    if program == "nox":
        return _nox(rest)
    return _typed(program, rest) if program in PROGRAMS else None


def _split(words: list[str]) -> Iterator[tuple[str, ...]]:
    command: list[str] = []
    for word in [*words, ";"]:
        if set(word) <= set("&|;"):
            if command:
                yield tuple(command)
            command = []
        else:
            command.append(word)


def _nox(rest: list[str]) -> str:
    if unknown := called(shlex.join(["nox", *rest])) - sessions():
        return f"no session {', '.join(sorted(unknown))}"
    if rest[:3] == ["-s", "mlgates", "--"]:
        return _typed("mlgates", rest[3:])
    return ""


def _typed(program: str, rest: list[str]) -> str:
    """Parse as the program does, options of the right kind and all; nothing is run."""
    group: Any = typer.main.get_command(PROGRAMS[program])
    try:
        with group.make_context(program, list(rest)) as context:
            name, command, arguments = group.resolve_command(context, [*context._protected_args, *context.args])
            command.make_context(name, arguments, parent=context).close()
    except typer.Exit:
        return ""  # --help
    except USAGE_ERROR as error:
        return f"{type(error).__name__}: {error}"
    return ""
