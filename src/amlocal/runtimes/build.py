"""Builds the environment that meets some requirements with uv, once, and keeps it under their fingerprint."""

import fcntl
import hashlib
import json
import shutil
import sysconfig
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from amlocal.runtimes.errors import BuildCancelled
from amlocal.runtimes.interpreters import Interpreter, accepts
from amlocal.runtimes.requirements import PackageRequirements
from amlocal.runtimes.runtime import Log, Runtime, runtime_at
from amlocal.runtimes.uv_command import run_uv

# How soon someone who waits sees that the lock is free, or that they were cancelled.
_POLL_S = 0.05
# Raised when the way of building changes, so that environments built the old way are not taken for new ones.
_LAYOUT = 1


def make_once(folder: Path, make: Callable[[Path], None], *, log: Log, cancelled: threading.Event) -> None:
    """Unless `folder` exists, have `make` fill an empty folder beside it and rename that to `folder`.

    So `folder` is there whole or not at all. Raises `BuildCancelled` while waiting for another who makes it.
    """
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.with_name(f"{folder.name}.lock"), log, cancelled):
        if folder.exists():
            return
        for leftover in folder.parent.glob(f"{folder.name}.making-*"):
            # Of a process that was killed. What it may have left running can still write here: no reason to fail.
            shutil.rmtree(leftover, ignore_errors=True)
        making = Path(tempfile.mkdtemp(prefix=f"{folder.name}.making-", dir=folder.parent))
        try:
            make(making)
            making.rename(folder)
        finally:
            shutil.rmtree(making, ignore_errors=True)


@contextmanager
def _locked(path: Path, log: Log, cancelled: threading.Event) -> Iterator[None]:
    """Hold the file's lock, which the system takes back from a process that dies."""
    with path.open("w") as file:
        if not _try_lock(file.fileno()):
            log("Another job is making this environment; waiting for it")
            while not _try_lock(file.fileno()):
                if cancelled.wait(_POLL_S):
                    raise BuildCancelled("cancelled while another job was making the environment")
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def fingerprint(required: PackageRequirements, interpreter: Interpreter) -> str:
    """32 hexadecimal digits, independent of the order and spelling of requirements.

    The order of options counts, since the first index may win. Files that requirements name count by content.
    """
    facts = {
        "layout": _LAYOUT,
        "python": [str(interpreter), str(interpreter.path)],
        "platform": sysconfig.get_platform(),
        "requirements": sorted({_normalized(text) for text in required.requirements}),
        "constraints": sorted({_normalized(text) for text in required.constraints}),
        "options": required.options,
        "flags": required.flags,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def _normalized(text: str) -> str:
    if text.startswith("/"):
        path, _, extras = text.partition("[")
        return f"{_digest(Path(path))}[{extras}"
    head, *hashes = text.split(" --")
    try:
        requirement = Requirement(head)
    except InvalidRequirement:
        return text
    requirement.name = canonicalize_name(requirement.name)
    return " --".join((str(requirement), *sorted(part.strip() for part in hashes)))


def _digest(path: Path) -> str:
    """A digest of names and bytes, wherever the folder or archive lies."""
    folder, files = (path, path.rglob("*")) if path.is_dir() else (path.parent, (path,))
    digest = hashlib.sha256()
    for file in sorted(file for file in files if file.is_file()):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(folder).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def build(
    required: PackageRequirements,
    interpreter: Interpreter,
    *,
    cache: Path,
    label: str,
    environ: Mapping[str, str],
    log: Log,
    cancelled: threading.Event,
) -> Runtime:
    """The environment that meets what is required, from the cache or built now.

    Raises `EnvironmentUnsatisfiable` with uv's reason, `BuildCancelled`; `OSError` when the disk does not take it.
    """
    folder = cache.absolute() / "environments" / fingerprint(required, interpreter)

    def make(making: Path) -> None:
        def uv(*arguments: str) -> None:
            purpose = f"environment {label} cannot be built on Python {interpreter}{_stands_in(required, interpreter)}"
            run_uv(
                arguments, purpose=purpose, environ=_with_pip_strategy(environ, required), log=log, cancelled=cancelled
            )

        log(f"Building an environment for {label} on Python {interpreter}")
        # Relocatable, since it is built under another name than it will have.
        uv(
            "venv",
            "--relocatable",
            "--allow-existing",
            "--no-project",
            "--quiet",
            f"--python={interpreter.path}",
            str(making),
        )
        if required.requirements:
            files = _write_requirements(required, making)
            uv("pip", "install", f"--python={making / 'bin' / 'python'}", *files, *required.flags)

    make_once(folder, make, log=log, cancelled=cancelled)
    return runtime_at(
        folder / "bin" / "python", f"environment {folder.name[:12]} built for its requirements, Python {interpreter}"
    )


def _stands_in(required: PackageRequirements, interpreter: Interpreter) -> str:
    """Say which Python was asked for, if that is another: packages that fail to build often are of its time."""
    if required.python is None or accepts(required.python, interpreter.minor):
        return ""
    return f" (taken for python{required.python}, which is not installed here)"


def _write_requirements(required: PackageRequirements, folder: Path) -> tuple[str, ...]:
    """Leave in the environment what it was built from, and return the arguments that name it."""
    requirements, constraints = folder / "requirements.txt", folder / "constraints.txt"
    requirements.write_text("\n".join((*required.options, *required.requirements, "")), encoding="utf-8")
    if not required.constraints:
        return "-r", str(requirements)
    constraints.write_text("\n".join((*required.constraints, "")), encoding="utf-8")
    return "-r", str(requirements), "-c", str(constraints)


def _with_pip_strategy(environ: Mapping[str, str], required: PackageRequirements) -> Mapping[str, str]:
    """Where the definition names a further index, choose among all of them as pip does: Azure runs pip."""
    if any(option.startswith("--extra-index-url") for option in required.options):
        return {"UV_INDEX_STRATEGY": "unsafe-best-match", **environ}
    return environ
