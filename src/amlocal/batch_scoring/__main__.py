"""Starts the driver: makes this folder a package under a name of its own, since `amlocal` is not here."""

import importlib
import importlib.util
import os
import sys
from pathlib import Path

_FOLDER = Path(__file__).parent
_NAME = "_batch_scoring"


def _load() -> None:
    spec = importlib.util.spec_from_file_location(_NAME, _FOLDER / "__init__.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"{_FOLDER} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = module
    spec.loader.exec_module(module)


# At import: a worker that is spawned, not forked, imports this file before it unpickles what it is to do.
_load()
# This folder leaves the path, so that none of its files stands for a module of the user's; the code snapshot, which a
# batch job runs in, takes its place.
sys.path[:] = [str(Path.cwd()), *(entry for entry in sys.path if Path(entry) != _FOLDER)]

if __name__ == "__main__":
    sys.exit(importlib.import_module(f"{_NAME}.driver").main(os.environ))
