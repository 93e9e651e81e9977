"""The process of a job: started under a warden, waited for, ended."""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from amlocal.jobs.settling import settle

GRACE_S = 10.0  # between SIGTERM and SIGKILL
_WARDEN = Path(__file__).with_name("warden.py")
# The command is read from a descriptor: a command line is there for everyone on the machine to see. Bash's messages
# say what they would after `bash -c COMMAND`.
_SHELL = 'eval "exec {0}<&-;$(</dev/fd/{0})"'


async def run(
    command: str,
    *,
    folder: Path,
    environ: Mapping[str, str],
    log: Path,
    timeout_s: float | None,
    grace_s: float = GRACE_S,
    confine: Callable[[Sequence[str]], tuple[str, ...]] = tuple,
) -> int:
    """Run a shell command in `folder`, its output appended to `log`; return its exit code.

    `confine` returns the program that keeps another one apart.

    Raises `TimeoutError` after `timeout_s`, `OSError` when it cannot be started. When it is cancelled or times out,
    the command and all that it started have ended before this returns.
    """
    reader, writer = os.pipe()
    text = _as_file(command)
    shell = confine(("/bin/bash", "-c", _SHELL.format(text)))
    arguments = (sys.executable, "-I", "-S", str(_WARDEN), str(grace_s), str(text), "--", *shell)
    running = asyncio.create_task(_supervise(arguments, folder, environ, log, reader, text))
    try:
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(running)
    finally:
        if not running.done():
            with contextlib.suppress(BrokenPipeError):  # the warden may have ended by itself just now
                os.write(writer, b"stop")
        await settle(running)
        os.close(writer)


def _as_file(command: str) -> int:
    """Return a descriptor that the command can be read from, of a file that has no name."""
    # In memory where there is such a thing: a confined program may not open again what was in a folder.
    memory = hasattr(os, "memfd_create")
    with os.fdopen(os.memfd_create("command"), "wb") if memory else tempfile.TemporaryFile() as file:
        file.write(command.encode(errors="surrogateescape"))
        file.flush()
        return os.dup(file.fileno())


async def _supervise(
    arguments: tuple[str, ...], folder: Path, environ: Mapping[str, str], log: Path, reader: int, text: int
) -> int:
    try:
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *arguments,
                cwd=folder,
                env=dict(environ),
                stdin=reader,
                stdout=output,
                stderr=output,
                pass_fds=(text,),
                start_new_session=True,  # a Ctrl-C at the terminal is the server's to handle
            )
    finally:
        os.close(reader)
        os.close(text)
    return await process.wait()
