"""Callers without a credential: what each costs in memory, idle and while it sends a body that nobody asked for."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

import psutil

from amlocal.testing import LocalWorkspace, local_workspace
from tests.bench.figures import Figure
from tests.bench.measures.server import Client
from tests.bench.processes import listeners, timed

_CONNECTIONS = 600
_BODY = 500_000  # bytes
_GOAL_KB, _GOAL_S = 64, 10


def unauthenticated() -> list[Figure]:
    """Memory for each of 600 connections at its peak, in a new server each time; and how soon one is closed."""
    figures = []
    for what, act in (("says nothing more", _say_nothing), ("sends a body of 500 KB", _send_body)):
        costs = tuple(_cost(act) for _ in range(3))
        figures.append(Figure(f"a connection without a credential that {what}, memory", "KB", costs, _GOAL_KB))
    with local_workspace() as workspace, _connected(workspace, 1) as (connection,):
        closed = timed(lambda: connection.recv(1))
    return [*figures, Figure("a connection without a credential is closed after", "s", (closed,), _GOAL_S)]


def _cost(act: Callable[[ssl.SSLSocket], None]) -> float:
    with local_workspace() as workspace:
        Client(workspace).get("")  # what the first request loads is not a connection's cost
        server = next(listeners(workspace.origin))
        before = server.memory_info().rss
        with (
            _peak(server) as peak,
            _connected(workspace, _CONNECTIONS) as callers,
            ThreadPoolExecutor(_CONNECTIONS) as senders,
        ):
            list(senders.map(act, callers))
        return (max(peak) - before) / _CONNECTIONS / 1024


def _say_nothing(_: ssl.SSLSocket) -> None:
    """Be there."""


def _send_body(caller: ssl.SSLSocket) -> None:
    head = f"POST /subscriptions HTTP/1.1\r\nHost: x\r\nContent-Length: {_BODY}\r\n\r\n"
    with suppress(OSError):  # it is refused, and may be closed
        caller.sendall(head.encode() + bytes(_BODY))
        caller.recv(100)


@contextmanager
def _connected(workspace: LocalWorkspace, number: int) -> Iterator[list[ssl.SSLSocket]]:
    trust = ssl.create_default_context(cafile=workspace.environ["REQUESTS_CA_BUNDLE"])
    place = urlsplit(workspace.origin)
    with ExitStack() as stack:
        callers = []
        for _ in range(number):
            plain = socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=60)
            callers.append(stack.enter_context(trust.wrap_socket(plain, server_hostname=place.hostname)))
        yield callers


@contextmanager
def _peak(server: psutil.Process) -> Iterator[list[int]]:
    """Look at a process's resident memory a hundred times a second."""
    seen, over = [server.memory_info().rss], threading.Event()

    def watch() -> None:
        while not over.wait(0.01):
            seen.append(server.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()
        seen.append(server.memory_info().rss)
