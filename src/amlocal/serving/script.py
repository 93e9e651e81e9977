"""Runs a user's scoring script under Microsoft's inference server: `python script.py ENTRY_SCRIPT SOCKET`.

The server itself can only listen on every address of the machine. Here it listens on a Unix socket in a folder that is
its user's alone.
"""

import sys
from pathlib import Path

PORT = 5001
"""The inference server puts its default port behind any address, the path of a socket too."""


def main(entry: str, address: str) -> None:
    """Serve until ended."""
    from azureml_inference_server_http import (  # type: ignore[import-untyped] # noqa: PLC0415 - not in the server
        amlserver,
    )

    amlserver.DEFAULT_HOST = f"unix:{address}"
    sys.argv = [sys.argv[0], "--entry_script", entry]
    amlserver.run()


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    # As in `launch`: its modules shall not hide those of the user.
    sys.path[:] = [path for path in sys.path if Path(path or ".").resolve() != here]
    main(*sys.argv[1:])
