"""Decides which Python environment an Azure ML environment is on this machine, and builds it once where none is."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import sysconfig
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from amlocal.runtimes.definitions.conda import CondaFile, conda_requirements
from amlocal.runtimes.definitions.dockerfile import BuildContext, dockerfile_requirements
from amlocal.runtimes.errors import BuildCancelled
from amlocal.runtimes.interpreters import Interpreter, accepts, choose, current_interpreter, installed_interpreters
from amlocal.runtimes.runtime import Log, PackageRequirements, Runtime, current_runtime, runtime_at, unmet
from amlocal.runtimes.uv_command import run_uv

# How soon someone who waits sees that the lock is free, or that they were cancelled.
_POLL_S = 0.05
# Raised when the way of building changes, so that environments built the old way are not taken for new ones.
_LAYOUT = 1
# A curated environment lives in Microsoft's registry, not in the workspace: its image is known by name only.
_CURATED = re.compile(r"AzureML-|azureml://registries/", re.IGNORECASE)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSpec:
    """One environment version. `name` may be a curated name or a registry URI."""

    name: str
    version: str = ""
    image: str | None = None
    conda_file: CondaFile | None = None
    build: BuildContext | None = None

    @property
    def is_curated(self) -> bool:
        """Whether the environment is one that Microsoft (or another registry) publishes."""
        return _CURATED.match(self.name) is not None

    @property
    def label(self) -> str:
        """How messages name it: `train-env:3`."""
        return f"{self.name}:{self.version}" if self.version else self.name


def resolve(
    spec: EnvironmentSpec,
    *,
    cache: Path,
    strict: bool,
    log: Log,
    cancelled: threading.Event,
    environ: Mapping[str, str] = os.environ,
) -> Runtime:
    """The Python environment for `spec`: the current interpreter where it will do, else one that uv builds once.

    `strict` refuses a Python version that is not installed, where otherwise the nearest serves. `environ` is what uv
    runs with, so a private index is found as the person set it. It blocks; setting `cancelled` from another thread
    ends it. Raises `InvalidDefinition`, `EnvironmentUnsatisfiable`, `BuildCancelled`; `OSError` when the disk is full.
    """
    current = current_runtime()
    if spec.is_curated:
        log(f"{spec.label} is a curated environment, whose image is not here. {_running_on(current)}")
        return current
    required = _requirements_of(spec)
    for note in required.notes:
        log(note)
    if required.is_empty:
        log(f"{spec.label} names no Python packages beyond its image {spec.image or ''}. {_running_on(current)}")
        return current
    here = current_interpreter(current)
    interpreter = choose(required.python, here, lambda: installed_interpreters(environ), strict=strict, log=log)
    if interpreter == here:
        lacking = unmet(required, current.site_packages)
        if not lacking:
            log(f"{spec.label}: everything it requires is in {current.description}")
            return current
        log(f"{spec.label} asks for what {current.description} does not have: {'; '.join(lacking)}")
    return build(required, interpreter, cache=cache, label=spec.label, environ=environ, log=log, cancelled=cancelled)


def _requirements_of(spec: EnvironmentSpec) -> PackageRequirements:
    required = PackageRequirements()
    if spec.conda_file is not None:
        required += conda_requirements(spec.conda_file)
    if spec.build is not None:
        required += dockerfile_requirements(spec.build)
    return required


def _running_on(current: Runtime) -> str:
    return f"Running on {current.description}; packages that only the image has are not available"
