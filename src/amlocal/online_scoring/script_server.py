"""Runs a user's scoring script under Microsoft's inference server: `python script_server.py ENTRY_SCRIPT SOCKET`.

The server itself can only listen on every address of the machine. Here it listens on a Unix socket in a folder that is
its user's alone.
"""

import contextlib
import socket
import sys
from pathlib import Path

PORT = 5001
"""The inference server puts its default port behind any address, the path of a socket too."""


WORKER_ENDS = "w"
"""The name of the datagram socket beside the server's, to which each worker's end is sent."""


def report_worker_ends(address: str) -> None:
    """Have gunicorn tell when a worker has ended: what it had not taken lies in the socket until there is another."""
    from gunicorn import config  # type: ignore[import-untyped] # noqa: PLC0415 - comes with the inference server

    def child_exit(_: object, worker: object) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender, contextlib.suppress(OSError):
            sender.setblocking(False)
            sender.sendto(str(getattr(worker, "pid", 0)).encode(), str(Path(address).with_name(WORKER_ENDS)))

    config.ChildExit.default = staticmethod(child_exit)  # a gunicorn.conf.py of the user's may have its own


def main(entry: str, address: str) -> None:
    """Serve until ended."""
    from azureml_inference_server_http import (  # type: ignore[import-untyped] # noqa: PLC0415 - not in the server
        amlserver,
    )

    report_worker_ends(address)
    amlserver.DEFAULT_HOST = f"unix:{address}"
    sys.argv = [sys.argv[0], "--entry_script", entry]
    amlserver.run()


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    # As in `launch`: its modules shall not hide those of the user.
    sys.path[:] = [path for path in sys.path if Path(path or ".").resolve() != here]
    main(*sys.argv[1:])
