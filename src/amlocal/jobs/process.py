"""The process of a job: started under a warden, waited for, ended."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from amlocal.jobs.settling import settle

GRACE_S = 10.0  # between SIGTERM and SIGKILL
_WARDEN = Path(__file__).with_name("warden.py")


async def run(
    command: str,
    *,
    folder: Path,
    environ: Mapping[str, str],
    log: Path,
    timeout_s: float | None,
    grace_s: float = GRACE_S,
) -> int:
    """Run a shell command in `folder`, its output appended to `log`; return its exit code.

    Raises `TimeoutError` after `timeout_s`, `OSError` when it cannot be started. When it is cancelled or times out,
    the command and all that it started have ended before this returns.
    """
    reader, writer = os.pipe()
    arguments = (sys.executable, "-I", "-S", str(_WARDEN), str(grace_s), "--", "/bin/bash", "-c", command)
    running = asyncio.create_task(_supervise(arguments, folder, environ, log, reader))
    try:
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(running)
    finally:
        if not running.done():
            with contextlib.suppress(BrokenPipeError):  # the warden may have ended by itself just now
                os.write(writer, b"stop")
        await settle(running)
        os.close(writer)


async def _supervise(
    arguments: tuple[str, ...], folder: Path, environ: Mapping[str, str], log: Path, reader: int
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
                start_new_session=True,  # a Ctrl-C at the terminal is the server's to handle
            )
    finally:
        os.close(reader)
    return await process.wait()
