"""What a caller costs that has shown no credential, or that stops half-way: it is closed, and delays nobody."""

import asyncio
import contextlib
import gc
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn

from amlocal import server
from amlocal.connections import Connection, ConnectionLimits
from amlocal.core.context import system_clock
from amlocal.identity.authority import ensure_certificates
from tests.contract.amlocal.plain import WAIT_S, eventually
from tests.unit.amlocal.asgi import open_workspace

SHORT = ConnectionLimits(
    unauthenticated_s=0.4, head_s=0.4, body_s=0.4, idle_s=60, tls_shutdown_s=0.2, connections=12, log_s=0.1
)
LONG = ConnectionLimits(unauthenticated_s=60, head_s=60, body_s=60, connections=12, log_s=0.1)


@dataclass
class Site:
    """A workspace behind real sockets, served in a thread of this process."""

    port: int
    arm: str
    token: str
    trust: ssl.SSLContext
    server: uvicorn.Server
    open_sockets: list[socket.socket] = field(default_factory=list)

    def plain(self) -> socket.socket:
        """Return a connection that has not begun with TLS."""
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S)
        self.open_sockets.append(sock)
        return sock

    def connect(self) -> ssl.SSLSocket:
        wrapped = self.trust.wrap_socket(self.plain(), server_hostname="127.0.0.1")
        self.open_sockets.append(wrapped)
        return wrapped

    def forget(self) -> None:
        """Close what a test has opened."""
        for sock in self.open_sockets:
            sock.close()
        self.open_sockets.clear()
        eventually("no connection", lambda: not self.server.servers[0].connections)  # type: ignore[attr-defined]

    def request(self, path: str = "", *, method: str = "GET", token: str | None = None, more: str = "") -> bytes:
        """Return the head of a request; `more` are further lines of it."""
        bearer = f"Authorization: Bearer {self.token if token is None else token}\r\n" if token != "" else ""
        return f"{method} {path or self.arm} HTTP/1.1\r\nHost: x\r\n{bearer}{more}\r\n".encode()

    def works(self) -> None:
        """Assert that somebody with a token gets an answer."""
        with self.connect() as caller:
            caller.sendall(self.request())
            assert answer(caller).startswith(b"HTTP/1.1 200")


def answer(sock: socket.socket) -> bytes:
    """Return the first bytes of an answer."""
    return sock.recv(65536)


def closes(sock: socket.socket) -> bytes:
    """Return all that comes until the other side closes; fail when it does not."""
    received = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while piece := sock.recv(65536):
            received += piece
    return received


@contextlib.contextmanager
def served(root: Path, limits: ConnectionLimits) -> Iterator[Site]:
    with open_workspace(root) as workspace:
        folder = workspace.settings.folder
        ensure_certificates(folder, "local", system_clock(), {})
        listener = server._bind(0)
        ready = threading.Event()
        config = server.configure(workspace.app, folder.certificate, limits)
        config.lifespan = "off"
        serving = server._Server(config, ready.set, limits)

        def run() -> None:
            with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
                runner.run(serving.serve([listener]))

        thread = threading.Thread(target=run)
        thread.start()
        assert ready.wait(WAIT_S)
        trust = ssl.create_default_context(cafile=str(folder.bundle))
        site = Site(listener.getsockname()[1], workspace.arm, workspace.ask.token, trust, serving)
        try:
            yield site
        finally:
            site.forget()
            serving.should_exit = True
            thread.join(WAIT_S)
            listener.close()


@pytest.fixture(scope="module")
def strict_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("strict"), SHORT) as site:
        yield site


@pytest.fixture(scope="module")
def patient_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("patient"), LONG) as site:
        yield site


@pytest.fixture
def strict(strict_site: Site) -> Iterator[Site]:
    yield strict_site
    strict_site.forget()


@pytest.fixture
def patient(patient_site: Site) -> Iterator[Site]:
    """A server whose times are long: what closes here is not the clock."""
    yield patient_site
    patient_site.forget()


def hello(site: Site, sock: socket.socket) -> None:
    """Send half of a TLS handshake's first message."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    begun = site.trust.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with contextlib.suppress(ssl.SSLWantReadError):
        begun.do_handshake()
    sock.sendall(outgoing.read()[:20])


class TestCallersThatStop:
    @pytest.mark.parametrize("begin", [lambda *_: None, hello, lambda _, sock: sock.sendall(b"\x16\x03\x01")])
    def test_before_tls(self, strict: Site, begin: Callable[[Site, socket.socket], None]) -> None:
        sock = strict.plain()
        begin(strict, sock)
        assert closes(sock) == b""
        strict.works()

    @pytest.mark.parametrize(
        "sent", [b"", b"G", b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"PUT /x HTTP/1.1\r\nContent-Length: 9\r\n\r\nab"]
    )
    def test_in_a_request_without_a_credential(self, strict: Site, sent: bytes) -> None:
        sock = strict.connect()
        sock.sendall(sent)
        closes(sock)
        strict.works()

    @pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\nHost: x\r\nX: ", None])
    def test_in_the_second_request_with_one(self, strict: Site, sent: bytes | None) -> None:
        sock = strict.connect()
        sock.sendall(strict.request())
        assert answer(sock).startswith(b"HTTP/1.1 200")
        path = f"{strict.arm}/data/n/versions/1"
        sock.sendall(sent or strict.request(path, method="PUT", more="Content-Length: 100\r\n"))
        assert closes(sock).startswith(b"HTTP/1.1 408")

    def test_but_one_that_is_between_two_requests_stays(self, strict: Site) -> None:
        sock = strict.connect()
        for _ in range(3):
            sock.sendall(strict.request())
            assert answer(sock).startswith(b"HTTP/1.1 200")
            caller = strict.plain()
            closes(caller)  # longer than every limit but that of idle connections

    def test_what_was_closed_is_reported_in_the_log(self, strict: Site, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING, "amlocal"):
            closes(strict.plain())
            eventually("a line about it", lambda: "1 connections closed: no TLS within 0.4 s" in caplog.text)


class TestWhoMayCall:
    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("", b"401"),
            ("/mlflow/api/2.0/mlflow/runs/log-batch", b"401"),
            ("/mlflow/ajax-api/2.0/mlflow/runs/log-batch", b"401"),
            ("/devstore/c/b?comp=block&blockid=YQ==", b"401"),
            ("/devstore/c/b?sv=2023-11-03&sr=c&sp=w&se=2099-01-01&sig=x", b"403"),
            ("/endpoints/e/score", b"404"),
            ("/msi/token?resource=x", b"405"),
            ("/nowhere", b"501"),
        ],
    )
    def test_is_answered_before_the_body_is_there(self, patient: Site, path: str, status: bytes) -> None:
        sock = patient.connect()
        method = "PUT" if not path or path.startswith("/devstore") else "POST"
        path = path or f"{patient.arm}/data/n/versions/1"
        sock.sendall(patient.request(path, method=method, token="", more=f"Content-Length: {2**24}\r\n"))
        assert answer(sock).startswith(b"HTTP/1.1 " + status)

    def test_a_body_that_states_too_much_is_refused_at_once(self, patient: Site) -> None:
        sock = patient.connect()
        path = f"{patient.arm}/data/n/versions/1"
        sock.sendall(patient.request(path, method="PUT", more=f"Content-Length: {2**40}\r\n"))
        assert answer(sock).startswith(b"HTTP/1.1 413")

    def test_a_refused_body_is_thrown_away_and_the_refusal_read(self, patient: Site) -> None:
        sock = patient.connect()
        size = 3 * 2**20
        path = f"{patient.arm}/data/n/versions/1"
        sock.sendall(patient.request(path, method="PUT", token="bad", more=f"Content-Length: {size}\r\n"))
        for _ in range(size // 2**16):
            sock.sendall(b"x" * 2**16)
        assert answer(sock).startswith(b"HTTP/1.1 401")

    def test_a_few_refused_bodies_are_taken_in_large_parts(self, patient: Site) -> None:
        def refused() -> list[int]:
            """Return the room of each connection that has a refused body."""
            open_ = patient.server.servers[0]._unauthenticated  # type: ignore[attr-defined]
            return sorted(one.socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) for one in open_)

        for _ in range(6):
            sock = patient.connect()
            sock.sendall(patient.request("/nowhere", method="PUT", token="", more=f"Content-Length: {2**24}\r\n"))
            assert answer(sock).startswith(b"HTTP/1.1 501")
            sock.sendall(b"x" * 999)
        eventually("four of six read fast", lambda: [room > 2**16 for room in refused()] == [False] * 2 + [True] * 4)

    def test_what_came_before_a_refusal_is_not_kept(self, patient: Site) -> None:
        sock = patient.connect()
        sock.sendall(
            patient.request("/nowhere", method="PUT", token="", more=f"Content-Length: {2**24}\r\n") + b"x" * 999
        )
        assert answer(sock).startswith(b"HTTP/1.1 501")
        sock.sendall(b"x")
        (connection,) = patient.server.servers[0]._unauthenticated  # type: ignore[attr-defined]
        eventually("the body let go", lambda: connection.cycle.response_complete and not connection.cycle.body)


class TestHeads:
    @pytest.mark.parametrize(
        "head",
        [
            b"GET / HTTP/1.1\r\n" + b"".join(b"x%d: 1\r\n" % number for number in range(101)) + b"\r\n",
            b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000 + b"\r\n\r\n",
            b"GET /" + b"y" * 70_000 + b" HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nx: " + b"y" * 300_000,
        ],
    )
    def test_that_are_too_large_are_refused(self, patient: Site, head: bytes) -> None:
        sock = patient.connect()
        with contextlib.suppress(ConnectionError):
            sock.sendall(head)
        assert closes(sock).startswith(b"HTTP/1.1 431") or len(head) > 100_000
        patient.works()

    def test_requests_sent_together_are_answered_in_turn(self, patient: Site) -> None:
        sock = patient.connect()
        sock.sendall(patient.request() * 30)
        received = b""
        while received.count(b"HTTP/1.1 200") < 30:
            received += answer(sock)

    def test_too_many_sent_together_are_refused(self, patient: Site) -> None:
        sock = patient.connect()
        sock.sendall(patient.request(token="") * 3000)
        assert closes(sock).count(b"HTTP/1.1") < 300
        patient.works()


class TestAFullHouse:
    def test_the_oldest_without_a_credential_makes_room(self, patient: Site) -> None:
        half_open = [patient.plain() for _ in range(40)]
        patient.works()
        assert closes(half_open[0]) == b""
        assert closes(half_open[20]) == b""

    def test_also_after_the_handshake(self, patient: Site) -> None:
        callers = [patient.connect() for _ in range(14)]
        patient.works()
        assert closes(callers[0]) == b""

    def test_then_the_oldest_that_is_idle_does(self, patient: Site, caplog: pytest.LogCaptureFixture) -> None:
        callers = [patient.connect() for _ in range(12)]
        for caller in callers:
            caller.sendall(patient.request())
            assert answer(caller).startswith(b"HTTP/1.1 200")
        with caplog.at_level(logging.WARNING, "amlocal"):
            patient.works()
            closes(callers[0])
            callers[11].sendall(patient.request())
            assert answer(callers[11]).startswith(b"HTTP/1.1 200")
            eventually("a line about it", lambda: "these were idle" in caplog.text)

    def test_and_those_that_are_busy_are_waited_for(self, patient: Site) -> None:
        path = f"{patient.arm}/data/n/versions/1"
        busy = [patient.connect() for _ in range(12)]
        for caller in busy:
            caller.sendall(patient.request(path, method="PUT", more="Content-Length: 100\r\n"))
        eventually("twelve requests", lambda: len(patient.server.server_state.tasks) == 12)
        waiting = patient.plain()
        busy[5].close()
        with patient.trust.wrap_socket(waiting, server_hostname="127.0.0.1") as caller:
            caller.sendall(patient.request())
            assert answer(caller).startswith(b"HTTP/1.1 200")


def test_a_thousand_half_open_connections_lock_nobody_out(tmp_path: Path) -> None:
    with served(tmp_path, ConnectionLimits()) as site:
        half_open = [site.plain() for _ in range(1100)]
        began = time.monotonic()
        site.works()
        assert time.monotonic() - began < WAIT_S
        assert closes(half_open[0]) == b""


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Have Python free only what nothing refers to."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def connections() -> int:
    """Return how many connections of servers of this process are in memory."""
    return sum(isinstance(one, Connection) for one in gc.get_objects())


@pytest.mark.usefixtures("no_collection")
class TestAClosedConnection:
    @pytest.mark.parametrize("token", [None, "wrong"], ids=["admitted", "refused"])
    @pytest.mark.parametrize("size", [0, 500_000])
    def test_leaves_nothing_to_be_collected(self, patient: Site, token: str | None, size: int) -> None:
        before = connections()
        for _ in range(3):
            sock = patient.connect()
            path = f"{patient.arm}/data/n/versions/1"
            more = f"Content-Length: {size}\r\n"
            sock.sendall(patient.request(path, method="PUT", token=token, more=more) + b"x" * size)
            assert answer(sock)
        patient.forget()
        eventually("no connection in memory", lambda: connections() <= before)
