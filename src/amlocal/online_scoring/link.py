"""The line between the server and a scoring process: requests and responses, and the loop that reads and answers them.

Both ends belong to amlocal and hold the two ends of one socket pair, so there is no address to guard and no secret.
Each message has its length in front. Request 0 asks whether the process is there; response 0 says so, and that the
model is loaded. No event loop is in the process, and no thread but one that waits for the server's end. While the model
works, requests gather in the socket; all that are there when it is done make the next batch. A request that comes alone
waits for nothing.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

_REQUEST = struct.Struct("!IIH")  # number, bytes of body, bytes of content type
_RESPONSE = struct.Struct("!IIHf")  # number, bytes of body, status, milliseconds

ALIVE = 0
_CHUNK = 2**18
_BATCH_BYTES = 2**21  # of requests: what is beyond waits in the socket


@dataclass(frozen=True)
class ScoringRequest:
    """A scoring request. `number` tells its answer from others on the same socket."""

    number: int
    body: bytes = b""
    content_type: str = ""


@dataclass(frozen=True)
class ScoringResponse:
    """What the model made of a request: `status` and body; `took_ms` is the time in the model.

    `media_type` and `headers` are a scoring script's to choose, JSON and none for a model that amlocal serves: they are
    not sent.
    """

    number: int
    status: int = 200
    body: bytes = b""
    took_ms: float = 0.0
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def pack_request(request: ScoringRequest) -> bytes:
    """Return the request as bytes."""
    kind = request.content_type.encode("latin-1", "replace")[:1024]
    return _REQUEST.pack(request.number, len(request.body), len(kind)) + kind + request.body


def pack_response(answer: ScoringResponse) -> bytes:
    """Return the answer as bytes."""
    return _RESPONSE.pack(answer.number, len(answer.body), answer.status, answer.took_ms) + answer.body


def take_requests(buffer: bytearray) -> list[ScoringRequest]:
    """Remove the whole requests at the head of `buffer` and return them."""
    found, at = [], 0
    while len(buffer) - at >= _REQUEST.size:
        number, size, kind = _REQUEST.unpack_from(buffer, at)
        start = at + _REQUEST.size
        end = start + kind + size
        if len(buffer) < end:
            break
        content_type = buffer[start : start + kind].decode("latin-1")
        found.append(ScoringRequest(number, bytes(buffer[start + kind : end]), content_type))
        at = end
    del buffer[:at]
    return found


def take_responses(buffer: bytearray) -> list[ScoringResponse]:
    """Remove the whole responses at the head of `buffer` and return them."""
    found, at = [], 0
    while len(buffer) - at >= _RESPONSE.size:
        number, size, status, took = _RESPONSE.unpack_from(buffer, at)
        start = at + _RESPONSE.size
        if len(buffer) < start + size:
            break
        found.append(ScoringResponse(number, status, bytes(buffer[start : start + size]), took))
        at = start + size
    del buffer[:at]
    return found


class Scorer(Protocol):
    """A model that answers."""

    def respond(self, requests: Sequence[ScoringRequest]) -> Iterator[list[ScoringResponse]]:
        """Yield the responses to the requests, in any order, those that are ready at the same time together."""


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


def serve(server: socket.socket, scorer: Scorer) -> None:
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
