"""Starts the scoring process by this file's path: `python launch.py [--lenient] MODEL_FOLDER SOCKET_FD`."""

import sys
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent


def lend_amlocal() -> None:
    """Make `amlocal.serving` importable in an environment that knows no amlocal, and nothing that lies beside it."""
    # Python put the script's folder first, where its modules would hide those of the model's own code.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != HERE]
    package = ModuleType("amlocal")
    package.__path__ = [str(HERE.parent)]
    sys.modules["amlocal"] = package


if __name__ == "__main__":
    lend_amlocal()
    from amlocal.serving.worker import main

    *options, folder, socket = sys.argv[1:]
    main(Path(folder), int(socket), lenient="--lenient" in options)
