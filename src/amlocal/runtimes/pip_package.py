"""Finds pip for environments that have none."""

import threading
import zipfile
from collections.abc import Mapping
from pathlib import Path

from amlocal.runtimes.errors import EnvironmentUnsatisfiable
from amlocal.runtimes.once import make_once
from amlocal.runtimes.runtime import Log, Runtime
from amlocal.runtimes.uv_command import run_uv


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
