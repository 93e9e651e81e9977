"""The process of a job: started under a warden, waited for, ended."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

GRACE_S = 10.0  # between SIGTERM and SIGKILL
_WARDEN = Path(__file__).with_name("warden.py")


async def run(command: str, *, folder: Path, environ: Mapping[str, str], log: Path, timeout_s: float | None) -> int:
    """Run a shell command in `folder`, its output appended to `log`; return its exit code.

    Raises `TimeoutError` after `timeout_s`. When it is cancelled or times out, the command and all that it started
    have ended before this returns.
    """
    reader, writer = os.pipe()
    try:
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_WARDEN), str(GRACE_S), "--", "/bin/bash", "-c", command),
                cwd=folder,
                env=dict(environ),
                stdin=reader,
                stdout=output,
                stderr=output,
                start_new_session=True,  # a Ctrl-C at the terminal is the server's to handle
            )
    except BaseException:
        os.close(writer)
        raise
    finally:
        os.close(reader)
    try:
        async with asyncio.timeout(timeout_s):
            return await process.wait()
    finally:
        os.close(writer)
        await asyncio.shield(process.wait())
