"""The protocol between the server and a scoring process: requests and responses, each with its length in front.

Both ends belong to amlocal and hold the two ends of one socket pair, so there is no address to guard and no secret.
Request 0 asks whether the process is there; response 0 says so, and that the model is loaded.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

_REQUEST = struct.Struct("!IIH")  # number, bytes of body, bytes of content type
_RESPONSE = struct.Struct("!IIHf")  # number, bytes of body, status, milliseconds

ALIVE = 0


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
