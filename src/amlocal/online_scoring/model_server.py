"""The scoring process: reads the requests that have arrived, asks the model once, sends the responses.

No event loop is in it, and no thread but one that waits for the server's end. While the model works, requests gather
in the socket; all that are there when it is done make the next batch. A request that comes alone waits for nothing.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from amlocal.online_scoring.frames import ALIVE, ScoringRequest, ScoringResponse, pack_response, take_requests

if TYPE_CHECKING:
    from amlocal.online_scoring.model import OnlineScorer

_CHUNK = 2**18
_BATCH_BYTES = 2**21  # of requests: what is beyond waits in the socket


def end_with(server: socket.socket) -> None:
    """End this process and what it started when the server is gone, even if the model is at work."""
    watch = select.poll()
    watch.register(server.fileno(), 0)  # hang-ups only
    watch.poll()
    os.killpg(0, signal.SIGKILL)


def arrived(server: socket.socket, buffer: bytearray) -> list[ScoringRequest]:
    """Return the requests that are there, waiting for the first; none when the server has ended."""
    while not (found := take_requests(buffer)):
        chunk = server.recv(_CHUNK)
        if not chunk:
            return []
        buffer += chunk
    while len(buffer) < _BATCH_BYTES and select.select([server], [], [], 0)[0]:
        chunk = server.recv(_CHUNK)
        if not chunk:
            break
        buffer += chunk
    return found + take_requests(buffer)


def serve(server: socket.socket, scorer: OnlineScorer) -> None:
    """Answer until the server closes its end."""
    buffer = bytearray()
    while requests := arrived(server, buffer):
        waiting = []
        for request in requests:
            if request.number == ALIVE:
                server.sendall(pack_response(ScoringResponse(ALIVE)))
            else:
                waiting.append(request)
        for responses in scorer.respond(waiting):
            server.sendall(b"".join(map(pack_response, responses)))


def main(model_folder: Path, descriptor: int, *, lenient: bool = False) -> None:
    """Load the model, say that it is there, serve."""
    with socket.socket(fileno=descriptor) as server:
        threading.Thread(target=end_with, args=(server,), daemon=True).start()
        # Late, since this takes seconds in which a server that ends should not leave a process behind.
        from amlocal.online_scoring.model import Model, OnlineScorer  # noqa: PLC0415

        try:
            scorer = OnlineScorer(Model(model_folder, lenient=lenient))
        except Exception:  # noqa: BLE001 - whatever the model's code raises while it is loaded belongs in the log
            traceback.print_exc(file=sys.stderr)
            sys.exit(3)
        print(f"Model loaded; concurrent requests are {'merged' if scorer.merges else 'asked one by one'}", flush=True)  # noqa: T201 - this is the log
        gc.freeze()  # what is loaded stays: to look through it again and again would make some requests wait
        server.sendall(pack_response(ScoringResponse(ALIVE)))
        serve(server, scorer)
