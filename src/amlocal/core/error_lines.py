"""The one line of what a program printed that says why it failed."""

import re
from collections.abc import Iterable, Sequence

NOTICE = "[amlocal "  # how a line of amlocal's own begins in a job's log
_TRACEBACK = "Traceback (most recent call last):"
_PROGRESS = re.compile(r"\d+%\s*\|")  # a bar, as tqdm and pip draw it
# Behind the line of an exception may stand the rest of its message, and what a program's end prints. Further up it was
# caught, and the program went on. MLflow's message for a parameter that is refused has 22 lines.
_AFTERWARDS = 30
_GOODBYE = re.compile(r"\S+ View (?:run .* at|experiment at): http")  # what MLflow prints at the end of a run
_COLOUR = re.compile(r"\x1b\[[0-9;:?]*[A-Za-z]")  # what a terminal takes as colours and moves of the cursor


def shortened(text: str, longest: int) -> str:
    """Return a text of at most `longest` characters and a bit: its beginning and its end, when it is longer."""
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]} … {text[-half:]}"


def error_line(lines: Iterable[str]) -> str:
    """Return the exception of a traceback at the end, else the last line that is neither blank, a bar nor amlocal's."""
    plain = (_COLOUR.sub("", line) for line in lines)
    said = [line for line in plain if line.strip() and not _says_nothing(line)]
    return (_exception(said) or (said[-1] if said else "")).strip(" |")


def _says_nothing(line: str) -> bool:
    return line.startswith(NOTICE) or bool(_PROGRESS.search(line) or _GOODBYE.match(line))


def _exception(said: Sequence[str]) -> str:
    """Return the line after the frames of the last traceback, if that is near the end."""
    starts = [place for place, line in enumerate(said) if _TRACEBACK in line]
    if not starts:
        return ""
    # What build tools and exception groups put before every line; before its first one, a group has a corner.
    prefix = said[starts[-1]].partition(_TRACEBACK)[0].removesuffix("Exception Group ").replace("+", "|")
    for place in range(starts[-1] + 1, len(said)):
        rest = said[place].removeprefix(prefix)
        if not rest.startswith(" "):
            return said[place] if len(said) - place - 1 <= _AFTERWARDS else ""
    return ""
