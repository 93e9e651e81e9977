"""How a value is written into a shell command so that it arrives as it is: by the quotes that it stands within."""

import re
import shlex
from collections.abc import Sequence
from enum import Enum


class Within(Enum):
    """What a place in a command stands within (bash(1), QUOTING)."""

    NOTHING = ""
    DOUBLE = '"'
    SINGLE = "'"
    ANSI = "$'"
    COMMAND = "$("
    """A command within double quotes, where the outer quotes count no more."""
    BACKTICKS = "`"


_OPENS = ("$'", "$(", '"', "'", "`")
_SPECIAL = {Within.DOUBLE: r'[\\"$`]', Within.ANSI: r"[\\']"}


def quoted(value: str, within: Sequence[Within]) -> str:
    """Return `value` as it must be written within these quotes, the outermost first."""
    written = _quoted(value, within[-1])
    # What stands between backticks is read twice.
    for _ in range(within.count(Within.BACKTICKS)):
        written = re.sub(r"[\\$`]", r"\\\g<0>", written)
    return written


def _quoted(value: str, within: Within) -> str:
    if within is Within.SINGLE:
        return value.replace("'", "'\\''")
    if special := _SPECIAL.get(within):
        return re.sub(special, r"\\\g<0>", value)
    return shlex.quote(value)


def quotes_around(command: str) -> Sequence[Within]:
    """Return the quotes that are open at the end of `command`, the beginning of a longer one; outermost first."""
    open_quotes = [Within.NOTHING]
    at = 0
    while at < len(command):
        at += _step(command, at, open_quotes)
    return open_quotes


def _step(command: str, at: int, open_quotes: list[Within]) -> int:
    """Take one character, or two that belong together, into account; return how many."""
    within, character = open_quotes[-1], command[at]
    if within is Within.SINGLE:
        if character == "'":
            open_quotes.pop()
        return 1
    if character == "\\":
        return 2
    if within is Within.ANSI:
        if character == "'":
            open_quotes.pop()
        return 1
    if character == _end(within):
        open_quotes.pop()
        return 1
    opening = next((each for each in _OPENS if command.startswith(each, at)), None)
    # A single quote is nothing special within double ones.
    if opening is None or (within is Within.DOUBLE and opening in {"'", "$'"}):
        return 1
    open_quotes.append(Within(opening))
    return len(opening)


def _end(within: Within) -> str:
    return {Within.COMMAND: ")", Within.NOTHING: ""}.get(within, within.value)
