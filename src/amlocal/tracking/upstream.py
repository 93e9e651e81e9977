"""One request to MLflow's process and its answer.

MLflow's server speaks HTTP/1.0 on loopback, a connection for each request, and builds each answer whole before it
sends it: no client library, no pool, nothing to retry.
"""

import asyncio
from collections.abc import Mapping
from http.client import parse_headers
from io import BytesIO
from typing import NamedTuple

from amlocal.tracking.errors import TrackingUnavailable
from amlocal.tracking.layout import SECRET_HEADER
from amlocal.tracking.process import Address


class Answer(NamedTuple):
    """What MLflow said."""

    status: int
    headers: dict[str, str]
    body: bytes


# What a request may bring along. Credentials stop here, and so do the names of hosts and connections.
_PASSED_ON = ("accept", "content-encoding", "content-type", "if-modified-since", "if-none-match", "range", "user-agent")
_KEPT_BACK = ("connection", "content-length", "date", "server")  # said anew on the way to the client


async def ask(address: Address, method: str, target: str, headers: Mapping[str, str], content: bytes) -> Answer:
    """Send a request to MLflow and return its answer, unchanged. Raises `TrackingUnavailable` when none comes.

    `target` is the raw path and query; keys of `headers` are in lower case, those that do not concern MLflow are
    left out.
    """
    request = _head(address, method, target, headers, len(content)) + content
    try:
        return await _exchange(address.port, request)
    except (OSError, asyncio.IncompleteReadError) as error:
        raise TrackingUnavailable(f"MLflow's server went away before it answered {method} {target}.") from error


def _head(address: Address, method: str, target: str, headers: Mapping[str, str], length: int) -> bytes:
    lines = [f"{method} {target} HTTP/1.0", f"Host: 127.0.0.1:{address.port}", f"{SECRET_HEADER}: {address.secret}"]
    lines += [f"{name}: {headers[name]}" for name in _PASSED_ON if name in headers]
    lines += [f"Content-Length: {length}", "", ""]
    return "\r\n".join(lines).encode("latin-1")


async def _exchange(port: int, request: bytes) -> Answer:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        await writer.drain()
        lines = BytesIO(await reader.readuntil(b"\r\n\r\n"))
        status = int(lines.readline().split()[1])
        headers = parse_headers(lines)
        length = headers.get("Content-Length")
        # The end of the stream comes late: Werkzeug looks for 10 ms whether the request has more to it, then closes.
        body = await (reader.read() if length is None else reader.readexactly(int(length)))
    finally:
        writer.close()
    return Answer(status, {name: value for name, value in headers.items() if name.lower() not in _KEPT_BACK}, body)
