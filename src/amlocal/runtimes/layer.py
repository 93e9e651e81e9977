"""A job's own environment: an almost empty one, laid over the resolved one.

Whatever the job installs, upgrades or removes happens in the layer; the environment below is only read. Commands
written in Python start with a line that names their interpreter; here they get the layer's. Pip is found for
environments that have none.
"""

import os
import re
import shlex
import threading
import zipfile
from collections.abc import Container, Mapping
from dataclasses import replace
from pathlib import Path

from amlocal.runtimes.errors import EnvironmentUnsatisfiable
from amlocal.runtimes.resolve import make_once
from amlocal.runtimes.runtime import Log, Runtime
from amlocal.runtimes.uv_command import run_uv

_PYTHON = re.compile(r"python[\d.]*")
_PIP = b"import sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n"
# The plain form, and the one that installers use for long paths and for relocatable environments (the script is at
# once a shell script and a Python string).
_HEADER = re.compile(rb"#!/bin/sh\n'''exec' (?P<long>[^\n]+) \"\$0\" \"\$@\"\n' '''\n|#!(?P<short>[^\n]*)\n")
_BESIDE_ITSELF = 'realpath -- "$0"'
# The kernel reads no more of the first line (Linux before 5.1; macOS takes more).
_LONGEST_LINE = 127


def _silent(line: str) -> None:
    """A log that nobody reads."""


def create_layer(
    runtime: Runtime, folder: Path, cache: Path, *, environ: Mapping[str, str] = os.environ, log: Log = _silent
) -> Runtime:
    """Make an environment over `runtime` in `folder`, which must be absent or empty. Raises `OSError`.

    It is a virtual environment to Python, pip and uv. `environ` is what uv runs with, should pip have to be fetched.
    """
    folder = folder.absolute()
    layer = replace(
        runtime,
        python=folder / "bin" / "python",
        prefix=folder,
        scripts=folder / "bin",
        site_packages=(folder / runtime.site_folder, *_below(runtime, cache, environ, log)),
        description=f"the job's own environment over {runtime.description}",
    )
    layer.scripts.mkdir(parents=True)
    layer.site_packages[0].mkdir(parents=True)
    # Where platform-specific packages go to lib64, they are to meet the others; venv does the same.
    (folder / "lib64").symlink_to("lib")
    _write_interpreter(layer)
    _write_paths(layer)
    _write_commands(runtime, layer)
    return layer


def _below(runtime: Runtime, cache: Path, environ: Mapping[str, str], log: Log) -> tuple[Path, ...]:
    pip = pip_folder(runtime, cache, environ=environ, log=log)
    return (*runtime.site_packages, pip) if pip else runtime.site_packages


def _write_interpreter(layer: Runtime) -> None:
    layer.python.symlink_to(layer.base_python)
    for name in _versioned("python", layer):
        (layer.scripts / name).symlink_to("python")
    settings = {
        "home": layer.base_python.parent,
        "include-system-site-packages": "false",
        "version": layer.version,
    }
    text = "".join(f"{name} = {value}\n" for name, value in settings.items())
    (layer.prefix / "pyvenv.cfg").write_text(text, encoding="utf-8")


def _write_paths(layer: Runtime) -> None:
    # Folders that a .pth file names join the path behind the layer's own packages, so those hide the ones below. They
    # join as plain folders: .pth files inside them are not read, so that what is installed in editable mode around the
    # workspace stays invisible. A job must run from its snapshot and environment, as it will on Azure.
    own, *below = layer.site_packages
    (own / "_environment_below.pth").write_text("".join(f"{folder}\n" for folder in below), encoding="utf-8")


def _write_commands(below: Runtime, layer: Runtime) -> None:
    """Give the layer the commands of the environment below, those in Python started by the layer's interpreter.

    Left as they are, they would not see what the job installs, and what they install would land below.
    """
    interpreters = {below.python.parent, below.base_python.parent}
    for command in os.scandir(below.scripts) if below.scripts.is_dir() else ():
        if command.is_file() and os.access(command, os.X_OK) and not _PYTHON.fullmatch(command.name):
            _write_command(Path(command.path), layer, interpreters)
    for name in ("pip", *_versioned("pip", layer)):
        _write_executable(layer.scripts / name, launcher(layer.python, _PIP))


def _write_command(command: Path, layer: Runtime, interpreters: set[Path]) -> None:
    own = layer.scripts / command.name
    with command.open("rb") as file:
        script = file.read(2)
        # Most of a binary is never read.
        script += file.read() if script == b"#!" else b""
    relaunched = relaunch(script, interpreters, layer.python)
    if relaunched is None:
        own.symlink_to(command)
    else:
        _write_executable(own, relaunched)


def _write_executable(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)


def _versioned(name: str, layer: Runtime) -> tuple[str, str]:
    major, minor, _ = layer.version.split(".")
    return f"{name}{major}", f"{name}{major}.{minor}"


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


def pip_folder(runtime: Runtime, cache: Path, *, environ: Mapping[str, str], log: Log) -> Path | None:
    """A folder to put on the module path of `runtime` so that it has pip; None when it has one, or none is to be had.

    The wheel that came with the interpreter serves; where a distribution leaves it out, uv fetches pip. Either is kept
    in the cache. The latter case of None is said in the log.
    """
    if any((folder / "pip" / "__init__.py").exists() for folder in runtime.site_packages):
        return None
    wheel = next((wheel for folder in runtime.wheels for wheel in folder.glob("pip-*.whl")), None)
    folder = cache.absolute() / "pip" / (wheel.stem if wheel else "fetched")

    def make(making: Path) -> None:
        if wheel:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(making)
        else:
            command = ("pip", "install", f"--python={runtime.python}", f"--target={making}", "pip")
            run_uv(command, purpose="pip cannot be fetched", environ=environ, log=log, cancelled=cancelled)

    cancelled = threading.Event()
    try:
        make_once(folder, make, log=log, cancelled=cancelled)
    except EnvironmentUnsatisfiable as error:
        log(f"This job has no pip: {error}")
        return None
    return folder
