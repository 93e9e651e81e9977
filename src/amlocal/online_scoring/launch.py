"""Starts the scoring process by this file's path: `python launch.py [--lenient] MODEL_FOLDER SOCKET_FD`."""

import sys
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent


def expose_amlocal() -> None:
    """Make `amlocal.online_scoring` importable where no amlocal is installed, and nothing that lies beside it."""
    # Python put the script's folder first, where its modules would hide those of the model's own code.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != HERE]
    package = ModuleType("amlocal")
    package.__path__ = [str(HERE.parent)]
    sys.modules["amlocal"] = package


if __name__ == "__main__":
    expose_amlocal()
    from amlocal.online_scoring.model_server import main

    *options, folder, socket = sys.argv[1:]
    main(Path(folder), int(socket), lenient="--lenient" in options)
