"""Heavy requests of ten kinds, and what they cost another caller: the time of its GET of a resource in the meantime."""

import http.client
import json
import socket
import ssl
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import quote

from amlocal.testing import LocalWorkspace, local_workspace
from tests.bench.figures import Figure
from tests.bench.measures.server import Client

_PROBES = 200  # GETs of a resource while each kind of request goes on
_SENDERS = 4  # callers that send it, one request after the other
_GOAL_MS = 100.0
_MB = 2**20
_LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    body: bytes = b""
    token: bool = True


def heavy() -> list[Figure]:
    """The 99th percentile of a GET below the workspace, alone and beside each kind of heavy request."""
    with local_workspace() as workspace:
        client = Client(workspace)
        client.get("/environments")
        kinds = _kinds(workspace, client)
        _send_once(workspace, client, _furnishing(client.arm))
        figures = [Figure("ARM GET beside nothing, 99th percentile", "ms", (_probe(client),))]
        for kind, request in kinds.items():
            with _pressed(workspace, client, request):
                figures.append(Figure(f"ARM GET beside {kind}, 99th percentile", "ms", (_probe(client),), _GOAL_MS))
        with _strangers(workspace):
            figures.append(Figure("ARM GET beside 300 strangers, 99th percentile", "ms", (_probe(client),), _GOAL_MS))
    return figures


def _probe(client: Client) -> float:
    times = []
    for _ in range(_PROBES):
        started = time.perf_counter()
        client.get("/environments/probe/versions/1")
        times.append((time.perf_counter() - started) * 1000)
    return statistics.quantiles(times, n=100)[98]


def _environment(**properties: object) -> bytes:
    return json.dumps({"properties": {"image": "i", **properties}}).encode()


def _furnishing(arm: str) -> list[_Request]:
    rows = [_Request("PUT", f"{arm}/environments/probe/versions/1", _environment())]
    rows += [_Request("PUT", f"{arm}/data/long/versions/{number}", _data()) for number in range(300)]
    rows.append(_Request("PUT", "/devstore/box?restype=container"))
    return rows


def _data() -> bytes:
    return json.dumps({"properties": {"dataType": "uri_file", "dataUri": "https://example.org/" + "x" * 4000}}).encode()


def _kinds(workspace: LocalWorkspace, client: Client) -> dict[str, _Request]:
    arm = client.arm
    metrics = [{"key": f"m{number}", "value": 0.5, "timestamp": 1, "step": number} for number in range(1000)]
    blocks = b"<BlockList>" + b"<Latest>YQ==</Latest>" * 50_000 + b"</BlockList>"
    tags = {str(number): "x" for number in range(1000)}
    flavors = {str(number): "x" for number in range(24_000)}
    return {
        "aliases of aliases": _Request("PUT", f"{arm}/environments/y/versions/1", _environment(condaFile=_LAUGHS)),
        "YAML of 10,000 values": _Request(
            "PUT", f"{arm}/environments/z/versions/1", _environment(condaFile="dependencies:\n" + "- a\n" * 9900)
        ),
        "YAML of 1 MB": _Request("PUT", f"{arm}/environments/z/versions/2", _environment(condaFile="- a\n" * 2**18)),
        "1,000 tags": _Request("PUT", f"{arm}/environments/t/versions/1", _environment(tags=tags)),
        "JSON of 50,000 values": _Request(
            "PUT", f"{arm}/environments/t/versions/2", _environment(inferenceConfig=flavors)
        ),
        "bodies of 16 MB": _Request("PUT", f"{arm}/environments/b/versions/1", b"[" + b"1," * (8 * _MB)),
        "JSON nested 100,000 deep": _Request("PUT", f"{arm}/environments/d/versions/1", b"[" * 100_000),
        "a page of 100 long items": _Request("GET", f"{arm}/data/long/versions?$top=100"),
        "uploads of 16 MB": _Request("PUT", "/devstore/box/blob", b"x" * (16 * _MB)),
        "lists of 50,000 blocks": _Request("PUT", "/devstore/box/blob2?comp=blocklist", blocks),
        "log-batch of 1,000 metrics": _Request(
            "POST", "/mlflow/api/2.0/mlflow/runs/log-batch", json.dumps({"run_id": "r", "metrics": metrics}).encode()
        ),
        "paths of 30,000 characters": _Request("GET", f"{arm}/data/{quote('/a' * 5000, safe='')}/versions/1"),
    }


def _connection(workspace: LocalWorkspace) -> http.client.HTTPSConnection:
    trust = ssl.create_default_context(cafile=workspace.environ["REQUESTS_CA_BUNDLE"])
    return http.client.HTTPSConnection(workspace.origin.removeprefix("https://"), context=trust, timeout=60)


def _send_once(workspace: LocalWorkspace, client: Client, requests: list[_Request]) -> None:
    connection = _connection(workspace)
    for request in requests:
        _send(connection, client, request)
    connection.close()


def _send(connection: http.client.HTTPSConnection, client: Client, request: _Request) -> None:
    headers = {**client.headers, "x-ms-blob-type": "BlockBlob"}
    connection.request(request.method, request.path, request.body or None, headers)
    connection.getresponse().read()


@contextmanager
def _pressed(workspace: LocalWorkspace, client: Client, request: _Request) -> Iterator[None]:
    """Send a request over and over for as long as the block lasts."""
    with _together(_SENDERS, lambda stop: _press(workspace, client, request, stop)):
        yield


def _press(workspace: LocalWorkspace, client: Client, request: _Request, stop: threading.Event) -> None:
    connection = _connection(workspace)
    while not stop.is_set():
        try:
            _send(connection, client, request)
        except (OSError, http.client.HTTPException):  # refused before the body was sent: the next connection
            connection.close()
    connection.close()


@contextmanager
def _strangers(workspace: LocalWorkspace) -> Iterator[None]:
    """Open connections, begin a large request without a credential on each, and go on when they are closed."""
    trust = ssl.create_default_context(cafile=workspace.environ["REQUESTS_CA_BUNDLE"])
    port = int(workspace.origin.rpartition(":")[2])
    head = f"PUT /devstore/box/b HTTP/1.1\r\nHost: x\r\nContent-Length: {16 * _MB}\r\n\r\n".encode()

    def visit(stop: threading.Event) -> None:
        while not stop.is_set():
            visitors = []
            for _ in range(100):
                with suppress(OSError):
                    visitors.append(
                        trust.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="127.0.0.1")
                    )
                    visitors[-1].settimeout(0.05)
                    visitors[-1].sendall(head + b"x" * _MB)
            for visitor in visitors:
                visitor.close()

    with _together(3, visit):
        yield


@contextmanager
def _together(count: int, work: Callable[[threading.Event], None]) -> Iterator[None]:
    stop = threading.Event()
    threads = [threading.Thread(target=work, args=(stop,)) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
