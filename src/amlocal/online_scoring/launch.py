"""Starts the scoring process by this file's path: `python launch.py [--lenient] MODEL_FOLDER SOCKET_FD`."""

import gc
import socket
import sys
import threading
import traceback
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


def main(model_folder: Path, descriptor: int, *, lenient: bool = False) -> None:
    """Load the model, say that it is there, serve."""
    from amlocal.online_scoring import link  # noqa: PLC0415 - there once it is exposed

    with socket.socket(fileno=descriptor) as server:
        threading.Thread(target=link.end_with, args=(server,), daemon=True).start()
        # Late, since this takes seconds in which a server that ends should not leave a process behind.
        from amlocal.online_scoring.model import Model, OnlineScorer  # noqa: PLC0415

        try:
            scorer = OnlineScorer(Model(model_folder, lenient=lenient))
        except Exception:  # noqa: BLE001 - whatever the model's code raises while it is loaded belongs in the log
            traceback.print_exc(file=sys.stderr)
            sys.exit(3)
        print(f"Model loaded; concurrent requests are {'merged' if scorer.merges else 'asked one by one'}", flush=True)  # noqa: T201 - this is the log
        gc.freeze()  # what is loaded stays: to look through it again and again would make some requests wait
        server.sendall(link.pack_response(link.ScoringResponse(link.ALIVE)))
        link.serve(server, scorer)


if __name__ == "__main__":
    expose_amlocal()
    *chosen, folder, handle = sys.argv[1:]
    main(Path(folder), int(handle), lenient="--lenient" in chosen)
