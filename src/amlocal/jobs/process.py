"""The process of a job: what it sees of this machine, started under a supervisor, waited for, ended."""

import asyncio
import contextlib
import functools
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from amlocal.core.paths import WorkspaceFolder
from amlocal.jobs.sandbox import LANDLOCK, NO_SANDBOX

# What a program needs of the machine that it runs on. All else stays out: on Azure a job sees nothing of the
# shell that submitted it, and a job that passes here because of it would fail there.
_PASSED_ON = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|DYLD_\w+|"
    r"SSL_CERT_(FILE|DIR)|(HTTPS?|NO|ALL)_PROXY|(https?|no|all)_proxy|"
    r"PIP_\w+|UV_\w+|OMP_\w+|OPENBLAS_\w+|MKL_\w+|NVPL_\w+|CUDA_\w+|NVIDIA_\w+"
)
# As Azure ML's images have it (github.com/Azure/AzureML-Containers), whatever the terminal of this machine takes.
LOCALE: Mapping[str, str] = MappingProxyType({"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"})
GRACE_S = 10.0  # between SIGTERM and SIGKILL
_SUPERVISOR = Path(__file__).with_name("supervisor.py")
# The command is read from a descriptor: a command line is there for everyone on the machine to see. Bash's messages
# say what they would after `bash -c COMMAND`.
_SHELL = 'eval "exec {0}<&-;$(</dev/fd/{0})"'
_SANDBOX = (sys.executable, "-I", "-S", str(Path(__file__).with_name("sandbox.py")))
_TRIAL_S = 20.0


async def run_command(
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

    `confine` returns the command that runs another one in the sandbox.

    Raises `TimeoutError` after `timeout_s`, `OSError` when it cannot be started. When it is cancelled or times out,
    the command and all that it started have ended before this returns.
    """
    reader, writer = os.pipe()
    text = _as_file(command)
    shell = confine(("/bin/bash", "-c", _SHELL.format(text)))
    arguments = (sys.executable, "-I", "-S", str(_SUPERVISOR), str(grace_s), str(text), "--", *shell)
    running = asyncio.create_task(_start(arguments, folder, environ, log, reader, text))
    try:
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(running)
    finally:
        if not running.done():
            with contextlib.suppress(BrokenPipeError):  # the supervisor may have ended by itself just now
                os.write(writer, b"stop")
        await settle(running)
        os.close(writer)


async def settle(work: asyncio.Future[Any]) -> None:
    """Wait until `work` has ended, however often this task is cancelled meanwhile; what came of it stays in `work`.

    Cancellations are dropped here: the caller has one on its way already, or is past the point where it would matter.
    """
    while not work.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([work])
    if not work.cancelled():
        work.exception()  # looked at, so that asyncio does not report it as forgotten


def _as_file(command: str) -> int:
    """Return a descriptor that the command can be read from, of a file that has no name."""
    # In memory where there is such a thing: a confined program may not open again what was in a folder.
    memory = hasattr(os, "memfd_create")
    with os.fdopen(os.memfd_create("command"), "wb") if memory else tempfile.TemporaryFile() as file:
        file.write(command.encode(errors="surrogateescape"))
        file.flush()
        return os.dup(file.fileno())


async def _start(
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


@functools.cache
def sandbox_method() -> str:
    """Return how programs are sandboxed on this machine, `NO_SANDBOX` when they are not: found by one trial."""
    with tempfile.TemporaryDirectory(prefix="amlocal-") as folder:
        command = [*_SANDBOX, f"--hide={folder}", "--"]
        try:
            tried = subprocess.run(command, capture_output=True, text=True, timeout=_TRIAL_S, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired):
            return NO_SANDBOX
    return tried.stdout.strip() or NO_SANDBOX


def sandbox_warning() -> str | None:
    """Return the warning for a machine without a sandbox, None where there is one."""
    if sandbox_method() != NO_SANDBOX:
        return None
    return (
        "jobs and deployments can read this workspace's own files: the system has neither mount namespaces for this "
        "user nor Landlock (Linux 5.19 and later) for a sandbox (docs/defended.md)"
    )


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What a program sees of the workspaces on this machine: the environments, the CA certificates, `own`."""

    folder: WorkspaceFolder
    own: tuple[Path, ...]

    def wrap(self, command: Sequence[str]) -> tuple[str, ...]:
        """Return the command that runs `command` in the sandbox; `command` itself where there is no sandbox."""
        if sandbox_method() == NO_SANDBOX:
            return tuple(command)
        allowed = [path for path in (self.folder.environments, self.folder.bundle, *self.own) if path.exists()]
        options = [f"--hide={path}" for path in self._workspaces()] + [f"--allow={path}" for path in allowed]
        return (*_SANDBOX, f"--method={sandbox_method()}", *options, "--", *command)

    def environ(self, temporary: Path) -> dict[str, str]:
        """Return variables for a sandboxed program. `temporary` is made where the system's folder cannot be used.

        That is so when a workspace is somewhere in it, and Landlock cannot separate the two.
        """
        usual = Path(tempfile.gettempdir()).resolve()
        if sandbox_method() != LANDLOCK or not any(path.is_relative_to(usual) for path in self._workspaces()):
            return {}
        temporary.mkdir(exist_ok=True)
        return {"TMPDIR": str(temporary)}

    def _workspaces(self) -> list[Path]:
        """Return this workspace's folder and those beside it."""
        beside = {path.parent for path in self.folder.root.parent.glob("*/identity.json")}
        return sorted(Path(os.path.realpath(path)) for path in {self.folder.root, *beside})


def machine_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the part of the server's environment that jobs see."""
    return {name: value for name, value in environ.items() if _PASSED_ON.fullmatch(name)}
