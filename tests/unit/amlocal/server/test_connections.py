"""The limiter and its connections on an event loop whose time is made up, with transports of memory: nothing waits."""

import asyncio
import contextlib
import errno
import logging
import resource
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Protocol, cast

import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from amlocal import connections
from amlocal.app import MARK_AUTHENTICATED
from amlocal.connections import Connection, ConnectionLimiter, ConnectionLimits, raise_descriptors

LIMITS = ConnectionLimits(
    unauthenticated_s=8, head_s=10, body_s=30, idle_s=60, head_bytes=2000, headers=10, pipelined=3, log_s=10
)
PATIENT = replace(LIMITS, unauthenticated_s=1000)
MOMENT = 1e-4  # shorter than every timer: all that is due is done, and no more
GET, KEY = b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nkey: 1\r\n\r\n"
STAY = b"GET /stay HTTP/1.1\r\nkey: 1\r\n\r\n"


def put(path: str, length: int, key: str = "") -> bytes:
    return f"PUT {path} HTTP/1.1\r\n{key}Content-Length: {length}\r\n\r\n".encode()


class Loop(asyncio.BaseEventLoop):
    """An event loop that never waits: when nothing is left to do, it is the time of the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self._selector = self
        self.reader: Callable[[], None] | None = None

    def time(self) -> float:
        return self.now

    def select(self, timeout: float | None) -> list[object]:
        assert timeout is not None, "the loop would wait for ever"
        self.now += timeout
        return []

    def _process_events(self, _: object) -> None: ...

    def _write_to_self(self) -> None: ...

    def add_reader(self, _: Any, callback: Any, *arguments: Any) -> None:  # type: ignore[override]
        self.reader = callback

    def remove_reader(self, _: Any) -> bool:
        self.reader = None
        return True

    async def connect_accepted_socket(  # type: ignore[override]
        self, make: Callable[[], "Reader"], sock: "Caller", **options: Any
    ) -> None:
        if sock.tls == "never":
            await asyncio.sleep(options["ssl_handshake_timeout"])
            raise ConnectionAbortedError
        if sock.tls == "wrong":
            raise ssl.SSLError
        sock.reader = make()
        sock.connection = sock.reader.connection
        sock.reader.connection_made(cast("asyncio.Transport", sock))
        if sock.tls == "eager":  # the first request came with the end of the handshake
            sock.deliver(KEY)
            await asyncio.sleep(MOMENT / 2)

    def pass_(self, seconds: float = MOMENT) -> None:
        self.run_until_complete(asyncio.sleep(seconds))


class Caller:
    """Both ends of a connection: the client's, and as the server sees it the socket and the transport."""

    def __init__(self, loop: Loop, tls: str) -> None:
        self.tls = tls
        self.connection: Connection | None = None
        self.reader: Reader | None = None
        self.received = b""
        self.rooms: list[int] = []
        self.buffers: list[int | None] = []
        self.paused = self.closed = self.aborted = False
        self.blocking = True
        self._loop = loop
        self._underway: list[bytes] = []

    # The client

    def send(self, data: bytes) -> "Caller":
        self._underway.append(data)
        self._loop.call_soon(self._deliver)
        self._loop.pass_()
        return self

    def forget(self) -> None:
        self.close()
        self._loop.pass_()

    @property
    def waits(self) -> bool:
        """Whether something that was sent has not been read."""
        return bool(self._underway)

    @property
    def served(self) -> Connection:
        assert self.connection is not None
        return self.connection

    def _deliver(self) -> None:
        while self._underway and not self.paused and not self.closed:
            self.deliver(self._underway.pop(0))

    def deliver(self, data: bytes) -> None:
        assert self.reader is not None
        self.reader.get_buffer(len(data))[: len(data)] = data
        self.reader.buffer_updated(len(data))

    # The socket

    def setblocking(self, blocking: bool) -> None:
        self.blocking = blocking

    def setsockopt(self, level: int, name: int, value: int) -> None:
        if (level, name) == (socket.SOL_SOCKET, socket.SO_RCVBUF):
            self.rooms.append(value)
        else:
            assert (level, name, value) == (socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, self.rooms[-1])

    # The transport, too

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            if self.reader:
                self._loop.call_soon(self.reader.connection_lost, None)

    def abort(self) -> None:
        self.aborted = True
        self.close()

    def is_closing(self) -> bool:
        return self.closed

    def write(self, data: bytes) -> None:
        self.received += data

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False
        self._loop.call_soon(self._deliver)

    def set_read_buffer_limits(self, high: int | None = None) -> None:
        self.buffers.append(high)

    def get_extra_info(self, _: str) -> None: ...


class Reader(Protocol):
    """What the limiter gives the event loop: a protocol with a buffer, and the connection behind it."""

    connection: Connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None: ...
    def connection_lost(self, exc: Exception | None) -> None: ...
    def get_buffer(self, sizehint: int) -> memoryview: ...
    def buffer_updated(self, nbytes: int) -> None: ...


class Listener:
    def __init__(self) -> None:
        self.queue: list[Caller | OSError] = []
        self.rooms: list[int] = []

    def setsockopt(self, level: int, name: int, value: int) -> None:
        assert (level, name) == (socket.SOL_SOCKET, socket.SO_RCVBUF)
        self.rooms.append(value)

    def fileno(self) -> int:
        return 3

    def accept(self) -> tuple[Caller, object]:
        if not self.queue:
            raise BlockingIOError
        first = self.queue.pop(0)
        if isinstance(first, OSError):
            raise first
        return first, None


async def application(scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]], send: Any) -> None:
    """Admit whoever has a key; the path says what is done then."""
    if (b"key", b"1") in scope["headers"]:
        scope[MARK_AUTHENTICATED]()
    if scope["path"] == "/stay":
        await asyncio.Event().wait()
    if scope["path"] == "/read":
        while (await receive()).get("more_body"):
            continue
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    if scope["path"] == "/begun":
        await asyncio.Event().wait()
    await send({"type": "http.response.body", "body": b"ok"})


class RecordingLimiter(ConnectionLimiter):
    """A limiter that remembers all that it has counted, also what was logged."""

    def __init__(self, logged: list[str], *arguments: Any) -> None:
        super().__init__(*arguments)
        self._logged = logged

    def count(self, what: str) -> None:
        self._logged.append(what)
        super().count(what)


class House:
    """A limiter and what is on both sides of it."""

    def __init__(self, loop: Loop, limits: ConnectionLimits, most: int) -> None:
        self.loop = loop
        self.listener = Listener()
        self.logged: list[str] = []
        self.config = uvicorn.Config(application, log_config=None, access_log=False, lifespan="off", ws="none")
        self.config.proxy_headers = False
        self.config.timeout_keep_alive = round(limits.idle_s)
        self.state = ServerState()

        def make(limiter: ConnectionLimiter) -> Connection:
            return Connection(config=self.config, server_state=self.state, app_state={}, limiter=limiter)

        async def build() -> ConnectionLimiter:
            listener = cast("socket.socket", self.listener)
            return RecordingLimiter(self.logged, listener, make, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), limits, most)

        self.limiter = loop.run_until_complete(build())

    def call(self, *, tls: str = "good") -> Caller:
        caller = Caller(self.loop, tls)
        self.listener.queue.append(caller)
        self.look()
        return caller

    def without_transport(self) -> Connection:
        """Return a connection as it is before anything has come of it; uvicorn's own looks for the loop it is in."""

        async def make() -> Connection:
            return self.limiter._make(self.limiter)

        return self.loop.run_until_complete(make())

    def look(self) -> None:
        """Have the loop see that somebody waits at the listener."""
        if self.loop.reader:
            self.loop.call_soon(self.loop.reader)
        self.loop.pass_()

    def count(self, what: str) -> int:
        return sum(what in logged for logged in self.logged)

    def end(self) -> None:
        self.limiter.close()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.wait(tasks))
        self.loop.close()


@contextlib.contextmanager
def opened(limits: ConnectionLimits = LIMITS, most: int = 4) -> Iterator[House]:
    loop = Loop()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "time", SimpleNamespace(monotonic=loop.time))
        house = House(loop, limits, most)
        try:
            yield house
        finally:
            house.end()


Open = Callable[..., House]


@pytest.fixture
def open_house() -> Iterator[Open]:
    with contextlib.ExitStack() as stack:
        yield lambda *arguments, **options: stack.enter_context(opened(*arguments, **options))


@pytest.fixture
def house(open_house: Open) -> House:
    return open_house()


@pytest.fixture
def patient(open_house: Open) -> House:
    """A house where callers without a credential may stay."""
    return open_house(PATIENT)


def status(caller: Caller) -> bytes:
    return caller.received[9:12]


class TestHeads:
    def test_within_the_bounds_are_answered(self, house: House) -> None:
        caller = house.call().send(GET)
        assert caller.received == b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
        assert not caller.closed

    @pytest.mark.parametrize(("number", "answer"), [(10, b"200"), (11, b"431")])
    def test_have_so_many_headers_at_most(self, house: House, number: int, answer: bytes) -> None:
        caller = house.call().send(b"GET / HTTP/1.1\r\n" + b"x: 1\r\n" * number + b"\r\n")
        assert (status(caller), caller.closed) == (answer, answer == b"431")

    @pytest.mark.parametrize(("size", "answer"), [(2000, b"200"), (2001, b"431")])
    def test_have_so_many_bytes_at_most(self, house: House, size: int, answer: bytes) -> None:
        # the URL, and of a header its name, its value and four bytes around them
        caller = house.call().send(b"GET / HTTP/1.1\r\nx: " + b"y" * (size - 6) + b"\r\n\r\n")
        assert (status(caller), caller.closed) == (answer, answer == b"431")

    def test_that_have_not_ended_are_counted_as_they_come(self, house: House) -> None:
        caller = house.call().send(b"GET / HTTP/1.1\r\nx: 1\r\ny: ")
        for _ in range(19):
            caller.send(b"z" * 100)
        assert not caller.closed
        caller.send(b"z" * 100)
        assert (status(caller), caller.closed) == (b"431", True)
        assert caller.received.endswith(b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")

    def test_that_end_in_a_later_piece_are_counted_whole(self, house: House) -> None:
        caller = house.call().send(b"GET / HTTP/1.1\r\nx: " + b"y" * 1500).send(b"y" * 1500 + b"\r\n\r\n")
        assert (status(caller), caller.closed) == (b"431", True)

    @settings(max_examples=30, deadline=None)
    @given(st.sampled_from([0, 900, 1900, 4000]), st.lists(st.integers(1, 1500), max_size=6))
    def test_are_judged_alike_in_whatever_pieces_they_come(self, size: int, lengths: list[int]) -> None:
        rest = b"GET /%s HTTP/1.1\r\nkey: 1\r\n\r\n" % (b"y" * size)
        with opened() as house:
            caller = house.call()
            for length in lengths:
                caller.send(rest[:length])
                rest = rest[length:]
            caller.send(rest)
            assert status(caller) == (b"200" if size < 2000 else b"431")

    def test_with_a_body_that_came_along_are_not_taken_for_large(self, house: House) -> None:
        assert status(house.call().send(put("/read", 5000) + b"x" * 5000)) == b"200"

    @pytest.mark.parametrize("sent", [b"\x16\x03\x01", b"GET / HTTP/9\r\n\r\n", b"nothing\r\n\r\n"])
    def test_that_cannot_be_read_are_refused(self, house: House, sent: bytes) -> None:
        caller = house.call().send(sent)
        assert (status(caller), caller.closed) == (b"400", True)

    def test_nothing_is_read_after_a_refusal(self, house: House) -> None:
        caller = house.call().send(b"nonsense\r\n\r\n")
        before = caller.received
        caller.served.data_received(GET)
        house.loop.pass_()
        assert caller.received == before


class TestRequestsSentTogether:
    def test_are_answered_in_turn(self, house: House) -> None:
        assert house.call().send(GET * 4).received.count(b"200 OK") == 4

    @pytest.mark.parametrize("number", [3, 4])
    def test_are_refused_when_they_are_too_many(self, house: House, number: int) -> None:
        caller = house.call().send(STAY + GET * number)
        assert caller.closed == (number > 3)
        assert caller.received == b""  # the answer to the first is due before

    def test_a_bad_one_is_not_answered_before_those_ahead_of_it(self, house: House) -> None:
        caller = house.call().send(STAY)
        caller.send(b"nonsense\r\n\r\n")
        assert (caller.received, caller.closed) == (b"", True)


class TestTimes:
    def test_of_a_handshake(self, house: House) -> None:
        caller = house.call(tls="never")
        house.loop.pass_(7.9)
        assert house.limiter.connections == 1
        house.loop.pass_(0.2)
        assert house.limiter.connections == 0
        assert house.count("closed: no TLS within 8 s") == 1
        assert caller.connection is None

    def test_of_an_unauthenticated_caller(self, house: House) -> None:
        caller = house.call()
        house.loop.pass_(7.9)
        assert not caller.closed
        house.loop.pass_(1)
        assert (caller.received, caller.closed) == (b"", True)
        assert house.count("closed: no credential within 8 s") == 1

    def test_of_an_unauthenticated_caller_that_asks_again_and_again(self, house: House) -> None:
        caller = house.call()
        for _ in range(9):
            caller.send(GET)
            house.loop.pass_(1)
        assert caller.closed
        assert house.limiter.connections == 0

    def test_of_a_head(self, house: House) -> None:
        caller = house.call().send(KEY)
        house.loop.pass_(5)
        caller.received = b""
        caller.send(b"GET / HTTP/1.1\r\n")
        for _ in range(10):
            house.loop.pass_(0.98)
            caller.send(b"x: 1\r\n")
        assert not caller.closed
        house.loop.pass_(0.8)
        assert (status(caller), caller.closed) == (b"408", True)
        assert house.count("the head of a request took longer than 10 s") == 1

    def test_of_a_body_count_from_what_came_last(self, house: House) -> None:
        caller = house.call().send(put("/read", 100, "key: 1\r\n"))
        for _ in range(3):
            house.loop.pass_(29)
            caller.send(b"x")
        house.loop.pass_(29)
        assert not caller.closed
        house.loop.pass_(2)
        assert (status(caller), caller.closed) == (b"408", True)
        assert house.count("the body of a request stood still for 30 s") == 1

    def test_of_a_body_do_not_count_while_the_server_does_not_read(self, house: House) -> None:
        caller = house.call().send(put("/stay", 10**6, "key: 1\r\n") + b"x" * 10**5)
        assert caller.paused
        house.loop.pass_(100)
        assert not caller.closed

    def test_say_nothing_into_an_answer_that_has_begun(self, house: House) -> None:
        caller = house.call().send(put("/begun", 100, "key: 1\r\n"))
        house.loop.pass_(31)
        assert (caller.received.count(b"HTTP/1.1"), caller.closed) == (1, True)

    def test_between_two_requests(self, house: House) -> None:
        caller = house.call().send(KEY)
        house.loop.pass_(59)
        assert not caller.closed
        house.loop.pass_(2)
        assert caller.closed

    def test_are_not_the_servers_own(self, house: House) -> None:
        caller = house.call().send(STAY)
        house.loop.pass_(1000)
        assert not caller.closed

    def test_end_with_the_connection(self, house: House) -> None:
        caller = house.call()
        caller.closed = True  # the end of TLS is under way
        house.loop.pass_(20)
        assert house.count("closed") == 0


class TestCredentials:
    def test_are_awaited_in_little_room(self, house: House) -> None:
        """Of the listener's, since a connection has told its caller already how much it may send."""
        assert (house.listener.rooms, house.call().rooms) == ([2**12], [])

    def test_give_room(self, house: House) -> None:
        caller = house.call()
        assert (caller.rooms, caller.buffers, caller.blocking) == ([], [1], False)
        caller.send(KEY).send(KEY)
        assert (caller.rooms, caller.buffers) == ([2**20], [1, None])
        assert caller.served.authenticated

    def test_may_come_with_the_end_of_the_handshake(self, house: House) -> None:
        caller = house.call(tls="eager")
        assert status(caller) == b"200"
        house.loop.pass_(20)
        assert (house.limiter.connections, caller.closed) == (1, False)

    def test_of_one_that_is_gone_count_for_nothing(self, house: House) -> None:
        caller = house.call()
        caller.forget()
        caller.served.mark_authenticated()
        assert house.limiter.connections == 0

    def test_need_no_socket_and_no_tls(self, house: House) -> None:
        connection = house.without_transport()
        bare = cast("asyncio.Transport", SimpleNamespace(get_extra_info=lambda _: None))

        async def made() -> None:
            connection.connection_made(bare)
            connection.mark_authenticated()

        house.loop.run_until_complete(made())
        assert connection.authenticated


class TestAFullHouse:
    def test_the_oldest_without_a_credential_makes_room(self, patient: House) -> None:
        callers = [patient.call() for _ in range(5)]
        assert [caller.aborted for caller in callers] == [True, False, False, False, False]
        assert patient.limiter.connections == 4
        assert patient.count("4 are open, as many as may be, and these had shown no credential") == 1

    def test_also_in_its_handshake(self, patient: House) -> None:
        callers = [patient.call(tls="never") for _ in range(4)]
        last = patient.call()
        assert patient.limiter.connections == 4
        assert last.connection is not None
        assert [caller.connection for caller in callers] == [None] * 4

    def test_the_socket_of_one_whose_handshake_had_not_begun_is_closed(self, patient: House) -> None:
        callers = [Caller(patient.loop, "never") for _ in range(6)]
        patient.listener.queue.extend(callers)  # all in one turn of the loop
        patient.look()
        assert [caller.closed for caller in callers] == [True, True, False, False, False, False]

    def test_then_the_oldest_that_is_idle_does(self, patient: House) -> None:
        callers = [patient.call().send(STAY), *(patient.call().send(KEY) for _ in range(3))]
        patient.call()
        assert [caller.aborted for caller in callers] == [False, True, False, False]
        assert patient.count("and these were idle") == 1

    @pytest.mark.parametrize("sent", [STAY, KEY + b"GET / ", put("/begun", 9, "key: 1\r\n") + b"x"])
    def test_those_that_are_busy_are_waited_for(self, patient: House, sent: bytes) -> None:
        busy = [patient.call().send(sent) for _ in range(4)]
        waiting = patient.call()
        assert patient.loop.reader is None
        assert waiting.connection is None
        assert patient.count("made to wait: 4 are open, as many as may be, and all are busy") == 1
        busy[2].forget()
        patient.look()
        assert status(waiting.send(GET)) == b"200"
        assert not any(caller.aborted for caller in busy)

    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from(["call", "never", "wrong", "ask", "stay", "leave"]), st.integers(0, 99))))
    def test_never_holds_more_than_it_may(self, acts: list[tuple[str, int]]) -> None:
        with opened(PATIENT) as house:
            callers: list[Caller] = []
            for act, number in acts:
                present = [caller for caller in callers if caller.connection and not caller.closed]
                if act in {"call", "never", "wrong"}:
                    callers.append(house.call(tls=act))
                elif present:
                    caller = present[number % len(present)]
                    if act == "leave":
                        caller.forget()
                    else:
                        caller.send(KEY if act == "ask" else STAY)
                assert house.limiter.connections <= 4
                assert sum(bool(one.connection) and not one.closed for one in callers) <= 4
            for caller in callers:
                caller.forget()
            house.loop.pass_(1001)
            assert house.limiter.connections == 0

    def test_one_that_never_had_a_transport_can_be_turned_away(self, house: House) -> None:
        connection = house.without_transport()
        connection.abort()
        connection.check(10**9)
        assert house.count("closed") == 0


class TestAccepting:
    @pytest.mark.parametrize("error", [BlockingIOError(), InterruptedError(), ConnectionAbortedError()])
    def test_what_passes_by_itself_is_not_reported(self, house: House, error: OSError) -> None:
        house.listener.queue.append(error)
        house.look()
        assert house.loop.reader is not None
        assert not house.logged

    def test_a_lack_of_descriptors_is_reported_and_tried_again(self, house: House) -> None:
        house.listener.queue.append(OSError(errno.EMFILE, "Too many open files"))
        waiting = house.call()
        assert house.loop.reader is None
        assert house.count("made to wait: Too many open files") == 1
        house.loop.pass_(0.6)
        house.look()
        assert status(waiting.send(GET)) == b"200"

    def test_takes_so_many_in_one_turn(self, open_house: Open) -> None:
        house = open_house(most=1000)
        house.listener.queue.extend(Caller(house.loop, "good") for _ in range(100))
        house.look()
        assert (house.limiter.connections, len(house.listener.queue)) == (64, 36)

    def test_a_handshake_that_fails_leaves_nothing(self, house: House) -> None:
        house.call(tls="wrong")
        assert house.limiter.connections == 0
        assert not house.logged

    def test_ends_when_the_door_closes(self, house: House) -> None:
        shaking, caller = house.call(tls="never"), house.call()
        house.limiter.close()
        house.loop.pass_()
        assert house.loop.reader is None
        assert (house.limiter.connections, caller.closed, shaking.connection) == (1, False, None)
        caller.forget()
        assert house.loop.reader is None  # though there is room again
        house.limiter.close()
        house.loop.run_until_complete(house.limiter.wait_closed())

    def test_is_followed_by_no_more_looking_after(self, house: House) -> None:
        caller = house.call()
        house.limiter.close()
        house.loop.pass_(20)
        assert not caller.closed


class TestRefusedBodies:
    def test_are_read_a_part_at_a_time(self, patient: House) -> None:
        caller = patient.call().send(put("/", 5000) + b"x" * 100)
        assert status(caller) == b"200"
        caller.send(b"x" * 100)
        assert caller.paused
        assert caller.served.cycle.body == b""
        caller.send(b"x" * 100)
        assert caller.waits
        patient.loop.pass_(0.002)
        assert not caller.waits

    def test_end_and_the_next_request_is_answered(self, patient: House) -> None:
        caller = patient.call().send(put("/", 300))
        for _ in range(3):
            caller.send(b"x" * 100)
            patient.loop.pass_(0.01)
        assert caller.send(GET).received.count(b"200 OK") == 2

    def test_a_few_are_read_in_large_parts(self, open_house: Open) -> None:
        house = open_house(PATIENT, most=10)
        callers = [house.call().send(put("/", 500)).send(b"x") for _ in range(6)]
        assert [2**17 in caller.rooms for caller in callers] == [True] * 4 + [False] * 2
        callers[0].forget()
        house.loop.pass_(0.01)
        callers[5].send(b"x")
        assert 2**17 in callers[5].rooms

    def test_one_of_a_caller_with_a_key_leaves_its_place_to_another(self, patient: House) -> None:
        caller = patient.call().send(put("/", 2)).send(b"x")
        assert patient.limiter._widened == {caller.served}
        patient.loop.pass_(0.01)
        caller.send(b"x" + KEY)
        assert not patient.limiter._widened

    def test_are_taken_in_turn(self, open_house: Open) -> None:
        house = open_house(PATIENT, most=100)
        callers = [house.call().send(put("/", 500)) for _ in range(20)]
        for caller in callers:
            house.limiter.drain(caller.served)
            caller.served.flow.pause_reading()
        paused = []
        for _ in range(3):
            house.loop.pass_(0.0021)
            paused.append([caller.paused for caller in callers])
        assert paused == [[False] * 8 + [True] * 12, [False] * 16 + [True] * 4, [False] * 20]

    def test_of_one_that_is_gone_are_let_be(self, patient: House) -> None:
        caller = patient.call().send(put("/", 500)).send(b"x")
        caller.forget()
        patient.loop.pass_(0.01)
        assert caller.paused


class TestTheLog:
    def test_reports_how_many_were_closed_and_why(self, house: House, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING, "amlocal"):
            house.call()
            house.call()
            house.call(tls="never")
            house.loop.pass_(11)
        assert sorted(caplog.messages) == [
            "1 connections closed: no TLS within 8 s",
            "2 connections closed: no credential within 8 s",
        ]

    def test_is_not_flooded(self, house: House, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING, "amlocal"):
            for _ in range(300):
                house.limiter.count("closed: of this test")
                house.loop.pass_(0.1)
            house.loop.pass_(11)
        counts = [int(message.split()[0]) for message in caplog.messages]
        assert sum(counts) == 300
        assert len(counts) == 4

    def test_has_nothing_to_say_of_good_callers(self, house: House, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING, "amlocal"):
            house.call().send(KEY)
            house.loop.pass_(30)
        assert not caplog.messages


class TestDescriptors:
    @pytest.fixture
    def raised(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], tuple[int, list[tuple[int, int]]]]:
        def fake(soft: int, hard: int) -> tuple[int, list[tuple[int, int]]]:
            asked: list[tuple[int, int]] = []
            system = SimpleNamespace(
                RLIMIT_NOFILE=resource.RLIMIT_NOFILE,
                RLIM_INFINITY=resource.RLIM_INFINITY,
                getrlimit=lambda _: (soft, hard),
                setrlimit=lambda _, pair: asked.append(pair),
            )
            monkeypatch.setattr(connections, "resource", system)
            return raise_descriptors(ConnectionLimits(connections=1024)), asked

        return fake

    @pytest.mark.parametrize(
        ("soft", "hard", "most", "asked"),
        [
            (1024, 4096, 1024, [(4096, 4096)]),
            (1024, 10**6, 1024, [(16_384, 10**6)]),
            (1024, resource.RLIM_INFINITY, 1024, [(16_384, resource.RLIM_INFINITY)]),
            (1024, 1024, 384, []),
            (300, 300, 22, []),
            (64, 64, 8, []),
            (10**6, 10**6, 1024, []),
            (resource.RLIM_INFINITY, resource.RLIM_INFINITY, 1024, []),
        ],
    )
    def test_are_raised_and_a_reserve_is_kept(
        self,
        raised: Callable[[int, int], tuple[int, list[tuple[int, int]]]],
        soft: int,
        hard: int,
        most: int,
        asked: list[tuple[int, int]],
    ) -> None:
        assert raised(soft, hard) == (most, asked)
