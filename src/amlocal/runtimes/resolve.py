"""Decides which Python environment an Azure ML environment is on this machine."""

import os
import threading
from collections.abc import Mapping
from pathlib import Path

from amlocal.runtimes.build import build
from amlocal.runtimes.definitions.conda import conda_recipe
from amlocal.runtimes.definitions.dockerfile import dockerfile_recipe
from amlocal.runtimes.installed import unmet
from amlocal.runtimes.interpreters import choose, current_interpreter, installed_interpreters
from amlocal.runtimes.recipe import Recipe
from amlocal.runtimes.runtime import Log, Runtime, current_runtime
from amlocal.runtimes.spec import EnvironmentSpec


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
    recipe = _recipe(spec)
    for note in recipe.notes:
        log(note)
    if recipe.is_empty:
        log(f"{spec.label} names no Python packages beyond its image {spec.image or ''}. {_running_on(current)}")
        return current
    here = current_interpreter(current)
    interpreter = choose(recipe.python, here, lambda: installed_interpreters(environ), strict=strict, log=log)
    if interpreter == here:
        lacking = unmet(recipe, current.site_packages)
        if not lacking:
            log(f"{spec.label}: everything it requires is in {current.description}")
            return current
        log(f"{spec.label} asks for what {current.description} does not have: {'; '.join(lacking)}")
    return build(recipe, interpreter, cache=cache, label=spec.label, environ=environ, log=log, cancelled=cancelled)


def _recipe(spec: EnvironmentSpec) -> Recipe:
    recipe = Recipe()
    if spec.conda_file is not None:
        recipe += conda_recipe(spec.conda_file)
    if spec.build is not None:
        recipe += dockerfile_recipe(spec.build)
    return recipe


def _running_on(current: Runtime) -> str:
    return f"Running on {current.description}; packages that only the image has are not available"
