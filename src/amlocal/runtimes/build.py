"""Builds the environment of a recipe with uv, once, and keeps it."""

import threading
from collections.abc import Mapping
from pathlib import Path

from amlocal.runtimes.fingerprint import fingerprint
from amlocal.runtimes.interpreters import Interpreter, accepts
from amlocal.runtimes.once import make_once
from amlocal.runtimes.recipe import Recipe
from amlocal.runtimes.runtime import Log, Runtime, runtime_at
from amlocal.runtimes.uv_command import run_uv


def build(
    recipe: Recipe,
    interpreter: Interpreter,
    *,
    cache: Path,
    label: str,
    environ: Mapping[str, str],
    log: Log,
    cancelled: threading.Event,
) -> Runtime:
    """The environment that meets the recipe, from the cache or built now.

    Raises `EnvironmentUnsatisfiable` with uv's reason, `BuildCancelled`; `OSError` when the disk does not take it.
    """
    folder = cache.absolute() / "environments" / fingerprint(recipe, interpreter)

    def make(making: Path) -> None:
        def uv(*arguments: str) -> None:
            purpose = f"environment {label} cannot be built on Python {interpreter}{_stands_in(recipe, interpreter)}"
            run_uv(
                arguments, purpose=purpose, environ=_with_pip_strategy(environ, recipe), log=log, cancelled=cancelled
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
        if recipe.requirements:
            files = _write_requirements(recipe, making)
            uv("pip", "install", f"--python={making / 'bin' / 'python'}", *files, *recipe.flags)

    make_once(folder, make, log=log, cancelled=cancelled)
    return runtime_at(
        folder / "bin" / "python", f"environment {folder.name[:12]} built for its requirements, Python {interpreter}"
    )


def _stands_in(recipe: Recipe, interpreter: Interpreter) -> str:
    """Say which Python was asked for, if that is another: packages that fail to build often are of its time."""
    if recipe.python is None or accepts(recipe.python, interpreter.minor):
        return ""
    return f" (taken for python{recipe.python}, which is not installed here)"


def _write_requirements(recipe: Recipe, folder: Path) -> tuple[str, ...]:
    """Leave in the environment what it was built from, and return the arguments that name it."""
    requirements, constraints = folder / "requirements.txt", folder / "constraints.txt"
    requirements.write_text("\n".join((*recipe.options, *recipe.requirements, "")), encoding="utf-8")
    if not recipe.constraints:
        return "-r", str(requirements)
    constraints.write_text("\n".join((*recipe.constraints, "")), encoding="utf-8")
    return "-r", str(requirements), "-c", str(constraints)


def _with_pip_strategy(environ: Mapping[str, str], recipe: Recipe) -> Mapping[str, str]:
    """Where the definition names a further index, choose among all of them as pip does: Azure runs pip."""
    if any(option.startswith("--extra-index-url") for option in recipe.options):
        return {"UV_INDEX_STRATEGY": "unsafe-best-match", **environ}
    return environ
