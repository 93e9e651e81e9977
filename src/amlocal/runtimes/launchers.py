"""Commands written in Python start with a line that names their interpreter; here they get another one."""

import re
import shlex
from collections.abc import Container
from pathlib import Path

# The plain form, and the one that installers use for long paths and for relocatable environments (the script is at
# once a shell script and a Python string).
_HEADER = re.compile(rb"#!/bin/sh\n'''exec' (?P<long>[^\n]+) \"\$0\" \"\$@\"\n' '''\n|#!(?P<short>[^\n]*)\n")
_BESIDE_ITSELF = 'realpath -- "$0"'
# The kernel reads no more of the first line (Linux before 5.1; macOS takes more).
_LONGEST_LINE = 127


def launcher(python: Path, body: bytes) -> bytes:
    """A command that runs the Python code `body`."""
    line = f"#!{python}\n"
    if len(line.encode()) > _LONGEST_LINE or " " in line:
        line = f"#!/bin/sh\n'''exec' {shlex.quote(str(python))} \"$0\" \"$@\"\n' '''\n"
    return line.encode() + body


def relaunch(script: bytes, interpreters: Container[Path], python: Path) -> bytes | None:
    """The command with `python` as its interpreter; None unless it is started by a Python of these folders."""
    header = _HEADER.match(script)
    if header is None:
        return None
    named = (header["long"] or header["short"]).decode(errors="surrogateescape")
    interpreter = Path(_first_word(named, by_shell=bool(header["long"])))
    theirs = interpreter.name.startswith("python") and interpreter.parent in interpreters
    return launcher(python, script[header.end() :]) if theirs or _BESIDE_ITSELF in named else None


def _first_word(line: str, *, by_shell: bool) -> str:
    """Return the first word as the kernel takes it, up to a blank, or as a shell takes it, quotes and all."""
    try:
        words = shlex.split(line) if by_shell else line.split()
    except ValueError:  # a quote that nothing closes
        words = []
    return words[0] if words else ""
