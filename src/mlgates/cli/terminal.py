"""What is printed arrives in any encoding that a terminal, a pipe or a CI log may have: ASCII, cp1252, UTF-8."""

import codecs
import io
import sys

# In one character each, so that columns stay columns.
_PLAIN = {"✓": "+", "✗": "x", "▶": ">", "…": "~", "—": "-", "→": ">", "·": "."}
_HANDLER = "mlgates.plain"


def speak_any_encoding() -> None:
    """Make the standard streams write what their encoding lacks in plain characters, anything else as an escape."""
    for stream in (sys.stdout, sys.stderr):
        # A stream that somebody has put in its place, and that is no such file, is theirs to take care of.
        if isinstance(stream, io.TextIOWrapper) and stream.errors != _HANDLER:
            stream.reconfigure(errors=_HANDLER)


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN.get(each) or _escaped(each) for each in lacking), error.end


def _escaped(character: str) -> str:
    return character.encode("ascii", "backslashreplace").decode("ascii")


codecs.register_error(_HANDLER, _plain)
