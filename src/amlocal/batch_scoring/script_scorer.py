"""Scores files with the user's scoring script: `init()` once a process, `run(mini_batch)` for every mini batch.

A list's items stand line by line, a data frame's columns with a space between and no header (learn.microsoft.com,
"Author scoring scripts for batch deployments"). pandas is not imported: an environment may be without it, and where a
script has returned a pandas object, pandas is loaded.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from .batch_job import MiniBatchResult, ScoringError, display_name

_TYPES = {"pandas": ("DataFrame", "Series"), "numpy": ("ndarray",)}


class ScriptScorer:
    """A script whose `init` has been called."""

    def __init__(self, run: Callable[[list[str]], Any], data: Path, *, keep_rows: bool) -> None:
        self._run = run
        self._data = data
        self._keep_rows = keep_rows

    @classmethod
    def load(cls, script: Path, data: Path, *, logging_level: str, keep_rows: bool) -> ScriptScorer:
        """Import the script and call its `init`. Raises `ScoringError` when it lacks a function, and what it raises."""
        module = _import(script.absolute(), logging_level)
        functions = {name: getattr(module, name, None) for name in ("init", "run")}
        for name, function in functions.items():
            if not callable(function):
                raise ScoringError(f"The scoring script {script} has no function {name}().")
        module.init()
        return cls(module.run, data, keep_rows=keep_rows)

    def run(self, files: Sequence[Path], part: Path) -> MiniBatchResult:
        """Hand the files to the script.

        Each element or row that it returns stands for one success, so what is returned less than there are files
        counts as failed, as in Azure ML.
        """
        returned = self._run([str(file) for file in files])
        check_returned(returned)
        if self._keep_rows:
            part.write_bytes(returned_lines(returned))
        missing = (display_name(file, self._data) for file in files[len(returned) :])
        return MiniBatchResult(len(returned), dict.fromkeys(missing, "run() returned no result for it"))


def _import(script: Path, logging_level: str) -> ModuleType:
    """Import a file as a main program would find it: its folder is where its own imports are looked for first."""
    spec = importlib.util.spec_from_file_location(script.stem, script)
    if spec is None or spec.loader is None or not script.is_file():
        raise ScoringError(f"There is no scoring script {script.name} in the deployment's code.")
    sys.path.insert(0, str(script.parent))
    sys.argv = [str(script), "--logging_level", logging_level]  # Azure ML's documentation has scripts parse this
    module = importlib.util.module_from_spec(spec)
    sys.modules[script.stem] = module
    spec.loader.exec_module(module)
    return module


def check_returned(returned: object) -> None:
    """Raise `ScoringError` for what is neither a list, an array, nor a data frame."""
    if not isinstance(returned, (list, tuple)) and not any(_is_of(returned, module) for module in _TYPES):
        raise ScoringError(f"run() must return a list or a pandas DataFrame, not {type(returned).__name__}.")


def returned_lines(returned: Any) -> bytes:
    """Return the lines of what `check_returned` lets pass."""
    if hasattr(returned, "columns"):
        return bytes(returned.to_csv(header=False, index=False, sep=" ").encode())
    return "".join([f"{item}\n" for item in returned]).encode()


def _is_of(value: object, module: str) -> bool:
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(value, tuple(getattr(loaded, name) for name in _TYPES[module]))
