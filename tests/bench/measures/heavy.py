"""Heavy requests of a dozen kinds, and what they cost another caller: the time of its GET of a resource meanwhile.

They are sent by a process of its own: what it takes to send them is not to be counted among what they cost.
"""

import http.client
import json
import multiprocessing
import socket
import ssl
import statistics
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event
from urllib.parse import quote

from amlocal.core.decoding import MAX_VALUES
from amlocal.testing import LocalWorkspace, local_workspace
from tests.bench.figures import Figure, MeasureFailed
from tests.bench.measures.server import Client

_PROBES = 400  # GETs of a resource while each kind of request goes on
_SENDERS = 4  # callers that send it, one request after the other
_GOAL_MS = 100.0
_MB = 2**20
_BLOCKS = 100  # that are staged, and named over and over
_UNAUTHENTICATED = 300
_MLFLOW = "/mlflow/api/2.0/mlflow"
_LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    body: bytes = b""
    status: int = 201  # what it is answered with: the measure fails when it is another


@dataclass(frozen=True, slots=True)
class _Server:
    """Where requests go, for another process."""

    origin: str
    certificate: str
    headers: Mapping[str, str]

    def connection(self) -> http.client.HTTPSConnection:
        """Return a connection."""
        trust = ssl.create_default_context(cafile=self.certificate)
        return http.client.HTTPSConnection(self.origin.removeprefix("https://"), context=trust, timeout=60)


def heavy() -> list[Figure]:
    """The 99th percentile of a GET below the workspace, alone and beside each kind of heavy request."""
    with local_workspace() as workspace:
        client = Client(workspace)
        client.get("/environments")
        server = _Server(workspace.origin, workspace.environ["REQUESTS_CA_BUNDLE"], client.headers)
        run = _furnish(server, client.arm)
        figures = [Figure("ARM GET beside nothing, 99th percentile", "ms", (_probe(workspace),))]
        for kind, request in _kinds(client.arm, run).items():
            with _beside(_press, server, request):
                figures.append(Figure(f"ARM GET beside {kind}, 99th percentile", "ms", (_probe(workspace),), _GOAL_MS))
        with _beside(_visit, server, None):
            figures.append(
                Figure(
                    "ARM GET beside 300 unauthenticated connections, 99th percentile",
                    "ms",
                    (_probe(workspace),),
                    _GOAL_MS,
                )
            )
    return figures


def _probe(workspace: LocalWorkspace) -> float:
    client, times = Client(workspace), []  # a connection that stood still for a minute would be closed
    for _ in range(_PROBES):
        started = time.perf_counter()
        client.get("/environments/probe/versions/1")
        times.append((time.perf_counter() - started) * 1000)
    return statistics.quantiles(times, n=100)[98]


def _environment(**properties: object) -> bytes:
    return json.dumps({"properties": {"image": "i", **properties}}).encode()


def _furnish(server: _Server, arm: str) -> str:
    """Put in place what the requests look for; return the id of a run of MLflow's."""
    connection = server.connection()
    _send(connection, server, _Request("PUT", f"{arm}/environments/probe/versions/1", _environment()))
    for number in range(300):
        _send(connection, server, _Request("PUT", f"{arm}/data/long/versions/{number}", _data()))
    _send(connection, server, _Request("PUT", "/devstore/box?restype=container"))
    for block in range(_BLOCKS):
        _send(connection, server, _Request("PUT", f"/devstore/box/blob2?comp=block&blockid={_block_id(block)}", b"x"))
    made = _send(connection, server, _Request("POST", f"{_MLFLOW}/runs/create", b'{"experiment_id": "0"}', 200))
    connection.close()
    run: str = json.loads(made)["run"]["info"]["run_id"]
    return run


def _data() -> bytes:
    return json.dumps({"properties": {"dataType": "uri_file", "dataUri": "https://example.org/" + "x" * 4000}}).encode()


def _block_id(number: int) -> str:
    return quote(b64encode(b"%05d" % number).decode(), safe="")


def _kinds(arm: str, run: str) -> dict[str, _Request]:
    metrics = [{"key": f"m{number % 40}", "value": 0.5, "timestamp": 1, "step": number} for number in range(1000)]
    names = (b64encode(b"%05d" % (number % _BLOCKS)) for number in range(50_000))
    blocks = b"<BlockList>" + b"".join(b"<Latest>%s</Latest>" % name for name in names) + b"</BlockList>"
    tags = {str(number): "x" for number in range(1000)}
    settings = {str(number): "x" for number in range(MAX_VALUES // 2 - 100)}
    conda = "dependencies:\n" + "- a\n" * 9900
    return {
        "aliases of aliases": _Request("PUT", f"{arm}/environments/y/versions/1", _environment(condaFile=_LAUGHS), 400),
        "YAML of 10,000 values": _Request("PUT", f"{arm}/environments/z/versions/1", _environment(condaFile=conda)),
        "YAML of 1 MB": _Request(
            "PUT", f"{arm}/environments/z/versions/2", _environment(condaFile="- a\n" * 2**18), 400
        ),
        "1,000 tags": _Request("PUT", f"{arm}/environments/t/versions/1", _environment(tags=tags)),
        "JSON of as many values as may be": _Request(
            "PUT", f"{arm}/environments/t/versions/2", _environment(inferenceConfig=settings)
        ),
        "bodies of 16 MB": _Request("PUT", f"{arm}/environments/b/versions/1", b"[" + b"1," * (8 * _MB), 413),
        "JSON nested 100,000 deep": _Request("PUT", f"{arm}/environments/d/versions/1", b"[" * 100_000, 400),
        "a page of 100 long items": _Request("GET", f"{arm}/data/long/versions?$top=100", status=200),
        "uploads of 16 MB": _Request("PUT", "/devstore/box/blob", b"x" * (16 * _MB)),
        "lists of 50,000 blocks": _Request("PUT", "/devstore/box/blob2?comp=blocklist", blocks),
        "log-batch of 1,000 metrics": _Request(
            "POST", f"{_MLFLOW}/runs/log-batch", json.dumps({"run_id": run, "metrics": metrics}).encode(), 200
        ),
        "paths of 30,000 characters": _Request(
            "GET", f"{arm}/data/{quote('/a' * 5000, safe='')}/versions/1", status=404
        ),
    }


def _send(connection: http.client.HTTPSConnection, server: _Server, request: _Request) -> bytes:
    """Send a request and return the answer's body. Raises `MeasureFailed` for another status than it should have."""
    headers = {**server.headers, "x-ms-blob-type": "BlockBlob", "Content-Type": "application/json"}
    connection.request(request.method, request.path, request.body or None, headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != request.status:
        raise MeasureFailed(f"{request.method} {request.path[:200]} answered {answer.status}: {content[:300]!r}")
    return content


@contextmanager
def _beside(work: Callable[..., None], server: _Server, request: _Request | None) -> Iterator[None]:
    """Have a process send a request over and over for as long as the block lasts.

    Raises `MeasureFailed` when it was answered otherwise than it should be, or hardly at all.
    """
    context = multiprocessing.get_context("spawn")
    begun, stop, said = context.Event(), context.Event(), context.SimpleQueue()
    process = context.Process(target=_run, args=(work, server, request, begun, stop, said), daemon=True)
    process.start()
    try:
        if not begun.wait(60):
            raise MeasureFailed("no heavy request was answered within 60 s")
        yield
    finally:
        stop.set()
        process.join(60)
    if not said.empty() and (failure := said.get()):
        raise MeasureFailed(failure)


def _run(
    work: Callable[..., None],
    server: _Server,
    request: _Request | None,
    begun: Event,
    stop: Event,
    said: "SimpleQueue[str]",
) -> None:
    """Do the work in some threads: what the other process does."""

    def one() -> None:
        try:
            work(server, request, begun, stop)
        except MeasureFailed as error:
            said.put(str(error))
            begun.set()

    threads = [threading.Thread(target=one) for _ in range(_SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _press(server: _Server, request: _Request, begun: Event, stop: Event) -> None:
    connection = server.connection()
    while not stop.is_set():
        try:
            _send(connection, server, request)
        except (OSError, http.client.HTTPException):  # refused before the body was sent: the next connection
            connection.close()
            if request.status != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                raise
        begun.set()
    connection.close()


def _visit(server: _Server, _: None, begun: Event, stop: Event) -> None:
    """Open connections, begin a large request without a credential on each, and go on when they are closed."""
    trust = ssl.create_default_context(cafile=server.certificate)
    port = int(server.origin.rpartition(":")[2])
    head = f"PUT /devstore/box/b HTTP/1.1\r\nHost: x\r\nContent-Length: {16 * _MB}\r\n\r\n".encode()
    while not stop.is_set():
        visitors = []
        for _number in range(_UNAUTHENTICATED // _SENDERS):
            with suppress(OSError):
                visitors.append(
                    trust.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="127.0.0.1")
                )
                visitors[-1].settimeout(0.05)
                visitors[-1].sendall(head + b"x" * _MB)
        begun.set()
        for visitor in visitors:
            visitor.close()
