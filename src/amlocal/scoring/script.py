"""Scores files with the user's scoring script: `init()` once a process, `run(mini_batch)` for every mini batch."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from .errors import ScoringError
from .files import display_name
from .returned import check_returned, returned_lines
from .scorer import Result


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

    def run(self, files: Sequence[Path], part: Path) -> Result:
        """Hand the files to the script.

        Each element or row that it returns stands for one success, so what is returned less than there are files
        counts as failed, as in Azure ML.
        """
        returned = self._run([str(file) for file in files])
        check_returned(returned)
        if self._keep_rows:
            part.write_bytes(returned_lines(returned))
        missing = (display_name(file, self._data) for file in files[len(returned) :])
        return Result(len(returned), dict.fromkeys(missing, "run() returned no result for it"))


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
