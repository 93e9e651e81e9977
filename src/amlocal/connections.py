"""Who may hold a connection, and for how long: what a caller costs before it has shown a credential, and later.

uvicorn counts none of this: a thousand connections that never say a word would take every descriptor of the process.
"""

import asyncio
import logging
import resource
import socket
import ssl
import time
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from amlocal.app import MARK_AUTHENTICATED
from amlocal.core.http import JoinedWrites

_LOG = logging.getLogger("amlocal")
_RESERVE = 256  # descriptors that are not for callers: files, MLflow, the processes of jobs and deployments
# Bytes of the system's buffer for what a connection receives (Linux takes the double). TLS reads a buffer at a time.
_UNAUTHENTICATED_BUFFER, _DRAIN_BUFFER, _BUFFER = 2**12, 2**17, 2**20
_WISHED = 16_384  # descriptors; more are never needed here, and programs that walk through them all get slow


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What bounds a caller. Times in seconds, sizes in bytes."""

    unauthenticated_s: float = 8.0  # from the connection to the first request whose credential is good, TLS included
    head_s: float = 10.0  # from the first byte of a request to the end of its head
    body_s: float = 30.0  # between two parts of a body that somebody waits for
    idle_s: float = 60.0  # between two requests
    tls_shutdown_s: float = 1.0  # a client that does not answer the end of TLS
    head_bytes: int = 2**16
    headers: int = 100
    pipelined: int = 64  # requests that are sent before the first of them is answered
    connections: int = 1024
    log_s: float = 10.0  # a line about a limit that bites comes no more often


def raise_descriptors(limits: ConnectionLimits) -> int:
    """Have as many descriptors as the system lets this process, and return how many connections fit beside its own.

    A connection may need a second descriptor while it is served: a file, or the line to MLflow's process.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wished = _WISHED if hard == resource.RLIM_INFINITY else min(hard, _WISHED)
    if soft != resource.RLIM_INFINITY and soft < wished:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wished, hard))
        soft = wished
    return (
        limits.connections
        if soft == resource.RLIM_INFINITY
        else max(8, min(limits.connections, (soft - _RESERVE) // 2))
    )


def _ignore(_: int | None = None) -> None:
    """Set nothing: a transport without TLS has no such buffer."""


class _RequestRefused(Exception):
    """A request that is not read to its end; `answer` is the status line's text."""

    def __init__(self, answer: bytes) -> None:
        super().__init__(answer.decode())
        self.answer = answer


class Connection(HttpToolsProtocol):
    """uvicorn's protocol, which knows whether its caller has shown a credential and what it waits for."""

    def __init__(self, *arguments: Any, limiter: "ConnectionLimiter", **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._limiter = limiter
        self._limits = limiter.limits
        self.opened = self._heard = time.monotonic()
        self.begun = self.authenticated = False
        self.socket: socket.socket | None = None
        self._in_head = self._in_body = False
        self._head_since = 0.0
        self._head_size = 0
        self._large = False
        self._refusal: bytes | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Write the head of an answer and its body together."""
        # TLS goes on reading while the protocol does not, up to so many bytes: to the end of what has begun.
        self._set_read_buffer = getattr(transport, "set_read_buffer_limits", _ignore)
        self._set_read_buffer(1)  # not 0, at which uvloop pauses for ever
        super().connection_made(cast("asyncio.Transport", JoinedWrites(transport)))

    def connection_lost(self, exc: Exception | None) -> None:
        """Make room for another, and leave no circle: what a closed connection holds is freed at once."""
        super().connection_lost(exc)
        self._limiter.forget(self)
        self._set_read_buffer = _ignore
        self.pipeline.clear()
        self.cycle = self.scope = None  # type: ignore[assignment]

    def mark_authenticated(self) -> None:
        """Take the caller for one who may ask."""
        if not self.authenticated:
            self.authenticated = True
            self._limiter.mark_authenticated(self)
            self._set_read_buffer()
            self.widen(_BUFFER)

    def widen(self, size: int) -> None:
        """Have the system take in so many bytes, and as many come in at a time."""
        if self.socket is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
            if clamp := getattr(socket, "TCP_WINDOW_CLAMP", None):  # on Linux it keeps what the listener had
                self.socket.setsockopt(socket.IPPROTO_TCP, clamp, size)

    def data_received(self, data: bytes) -> None:
        """Parse what came in, as far as it is within the bounds."""
        if self.transport.is_closing():
            return
        self._heard = time.monotonic()
        was_in_head = self._in_head
        self._large = was_in_head or len(data) > self._limits.head_bytes
        super().data_received(data)
        if self._in_head:
            self._head_size = self._head_size + len(data) if was_in_head else self._size()
            if self._head_size > self._limits.head_bytes:
                self._respond_and_close(b"431 Request Header Fields Too Large")
        elif self._in_body and self.cycle.response_complete:
            # Thrown away, so that the caller gets to read its refusal, but in turn with others: at full speed the event
            # loop would read megabytes of one connection before it looks at the next.
            self.flow.pause_reading()
            self.cycle.body = bytearray()  # what came before the refusal: nobody reads it any more
            self._limiter.drain(self)

    def on_message_begin(self) -> None:
        """Note that a request has begun, and let the application say that its credential is good."""
        super().on_message_begin()
        self.scope[MARK_AUTHENTICATED] = self.mark_authenticated  # type: ignore[literal-required]
        self._in_head, self._head_since = True, self._heard

    def on_headers_complete(self) -> None:
        """Hand the request to the application, unless its head is out of bounds."""
        self._in_head, self._in_body = False, True
        if len(self.headers) > self._limits.headers or (self._large and self._size() > self._limits.head_bytes):
            raise self._refuse(b"431 Request Header Fields Too Large")
        if len(self.pipeline) >= self._limits.pipelined:
            raise self._refuse(b"429 Too Many Requests")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        super().on_message_complete()
        self._in_body = False

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        """Answer a request that cannot be read."""
        refusal, self._refusal = self._refusal, None
        self._respond_and_close(refusal or b"400 Bad Request")

    def _size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _refuse(self, answer: bytes) -> Exception:
        self._refusal = answer
        return _RequestRefused(answer)

    def _respond_and_close(self, answer: bytes) -> None:
        """Answer by a status alone, unless another answer is due before, and close."""
        own = self._in_body and self.cycle is not None and not (self.cycle.response_started or self.pipeline)
        self._in_head = self._in_body = False
        if own or self.cycle is None or self.cycle.response_complete:
            self.transport.write(b"HTTP/1.1 " + answer + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()

    def check(self, now: float) -> None:
        """Close the connection when it has kept the server waiting for too long."""
        limits = self._limits
        if self.transport is None or self.transport.is_closing():
            return
        if not self.authenticated and now - self.opened > limits.unauthenticated_s:
            self._time_out(f"no credential within {limits.unauthenticated_s:g} s")
        elif self._in_head and now - self._head_since > limits.head_s:
            self._time_out(f"the head of a request took longer than {limits.head_s:g} s")
        elif self._in_body and not self.flow.read_paused and now - self._heard > limits.body_s:
            self._time_out(f"the body of a request stood still for {limits.body_s:g} s")

    def _time_out(self, what: str) -> None:
        self._limiter.count(f"closed: {what}")
        if self._in_head or self._in_body:
            self._respond_and_close(b"408 Request Timeout")
        else:
            self.transport.close()

    @property
    def idle(self) -> bool:
        """Whether the connection is between two requests."""
        return not (self._in_head or self._in_body) and (self.cycle is None or self.cycle.response_complete)

    def abort(self) -> None:
        """Close the connection at once, whatever it is doing."""
        if self.transport is not None:
            self.transport.abort()


def _close_unused(connection: Connection, sock: socket.socket, _: object) -> None:
    """Close the socket of a connection that was given up before its handshake began."""
    if not connection.begun:
        sock.close()


class _Reader(asyncio.BufferedProtocol):
    """Has what comes in read into memory that all connections share, and hands it to one of them.

    For a protocol without a buffer uvloop asks the system for 256 KiB each time it reads from TLS, and gives it back:
    a quarter of what a small request costs.
    """

    def __init__(self, connection: Connection, memory: memoryview) -> None:
        self.connection = connection
        self._memory = memory

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand on the transport."""
        self.connection.connection_made(cast("asyncio.Transport", transport))

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that it is over, and let go of the connection, whose memory waits for no garbage collection then."""
        self.connection.connection_lost(exc)
        del self.connection

    def eof_received(self) -> None:
        """Hand on that no more will come."""
        self.connection.eof_received()

    def pause_writing(self) -> None:
        """Hand on that enough waits to be sent."""
        self.connection.pause_writing()

    def resume_writing(self) -> None:
        """Hand on that more may be sent."""
        self.connection.resume_writing()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's signature
        """Return the memory: what was in it before has been handed on."""
        return self._memory

    def buffer_updated(self, nbytes: int) -> None:
        """Hand on what came in."""
        self.connection.data_received(bytes(self._memory[:nbytes]))


class MakeConnection(Protocol):
    """Makes the protocol of a new connection through a limiter."""

    def __call__(self, limiter: "ConnectionLimiter") -> Connection:
        """Return it."""


class ConnectionLimiter:
    """Accepts connections at a listening socket, no more than `most` at once, and looks after those that are open.

    When it is full, the oldest connection whose caller has shown no credential makes room for the next, then the
    oldest that is between two requests; when there is neither, callers wait in the system's own queue.
    """

    def __init__(
        self,
        listener: socket.socket,
        make: MakeConnection,
        context: ssl.SSLContext,
        limits: ConnectionLimits,
        most: int,
    ) -> None:
        self._listener = listener
        self._make = make
        self._context = context
        self.limits = limits
        self._most = most
        self._loop = asyncio.get_running_loop()
        # the oldest first; a task: in its handshake
        self._unauthenticated: dict[Connection, asyncio.Task[None] | None] = {}
        self._authenticated: dict[Connection, None] = {}
        self._draining: deque[Connection] = deque()
        self._memory = memoryview(bytearray(_READ))
        self._widened: set[Connection] = set()
        self._counts: dict[str, int] = {}
        self._said = -limits.log_s
        self._listening = self._closed = False
        self._ticks = [self._loop.call_later(0, self._sweep)]
        # What a caller without a credential sends stays with it until it is asked for: at most so much is read at
        # once. Set here, since of a connection that is there the window was told already: the system would drop what
        # is in it.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _UNAUTHENTICATED_BUFFER)
        self._listen()

    @property
    def connections(self) -> int:
        """How many connections are open, those in their handshake counted."""
        return len(self._unauthenticated) + len(self._authenticated)

    @property
    def _full(self) -> bool:
        return self.connections >= self._most

    # What uvicorn expects of a server

    def close(self) -> None:
        """Accept nobody any more."""
        self._closed = True
        self._stop_listening()
        for handshake in filter(None, self._unauthenticated.values()):
            handshake.cancel()
        for tick in self._ticks:
            tick.cancel()

    async def wait_closed(self) -> None:
        """Return: a connection is closed by uvicorn."""

    # What connections tell

    def mark_authenticated(self, connection: Connection) -> None:
        """Take a connection for that of a caller with a credential."""
        if connection in self._unauthenticated:
            del self._unauthenticated[connection]
            self._widened.discard(connection)
            self._authenticated[connection] = None

    def forget(self, connection: Connection) -> None:
        """Forget a connection that is closed."""
        self._unauthenticated.pop(connection, None)
        self._authenticated.pop(connection, None)
        self._widened.discard(connection)
        self._listen()

    def drain(self, connection: Connection) -> None:
        """Have the rest of a refused body read some time soon.

        A few are read in large parts, to be through before their time is: a client that is cut off while it sends
        never looks at its refusal. Were it all of them, each would cost too much.
        """
        if connection not in self._widened and len(self._widened) < _DRAINED_WIDE:
            self._widened.add(connection)
            connection.widen(_DRAIN_BUFFER)
        if not self._draining:
            self._ticks[1:] = [self._loop.call_later(_DRAIN_S, self._drain_some)]
        self._draining.append(connection)

    def count(self, what: str) -> None:
        """Note that a caller was closed, and say so now and then."""
        self._counts[what] = self._counts.get(what, 0) + 1

    # Accepting

    def _listen(self) -> None:
        if not self._listening and not self._closed:
            self._listening = True
            self._loop.add_reader(self._listener.fileno(), self._accept)

    def _stop_listening(self) -> None:
        if self._listening:
            self._listening = False
            self._loop.remove_reader(self._listener.fileno())

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            if self._full and self._least_needed() is None:
                self.count(f"made to wait: {self._most} are open, as many as may be, and all are busy")
                self._stop_listening()
                return
            try:
                sock, _address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # no descriptors, though some were kept back
                self.count(f"made to wait: {error.strerror}")
                self._stop_listening()  # the next sweep tries again
                return
            sock.setblocking(False)
            if self._full:
                self._close_least_needed()
            connection = self._make(self)
            connection.socket = sock
            self._unauthenticated[connection] = task = self._loop.create_task(self._handshake(connection, sock))
            task.add_done_callback(partial(_close_unused, connection, sock))

    async def _handshake(self, connection: Connection, sock: socket.socket) -> None:
        """Bring a connection through its TLS handshake."""
        connection.begun = True  # from here on the socket is the event loop's
        try:
            await self._loop.connect_accepted_socket(
                lambda: _Reader(connection, self._memory),
                sock,
                ssl=self._context,
                ssl_handshake_timeout=self.limits.unauthenticated_s,
                ssl_shutdown_timeout=self.limits.tls_shutdown_s,
            )
        except (OSError, asyncio.CancelledError) as error:  # an error of TLS is an OSError, too
            if isinstance(error, ConnectionAbortedError):
                self.count(f"closed: no TLS within {self.limits.unauthenticated_s:g} s")
            self.forget(connection)
        else:
            if connection in self._unauthenticated:
                self._unauthenticated[connection] = None

    def _close_least_needed(self) -> None:
        """Close the connection that others would miss the least."""
        chosen = cast("Connection", self._least_needed())
        why = "were idle" if chosen.authenticated else "had shown no credential"
        self.count(f"closed: {self._most} are open, as many as may be, and these {why}")
        if handshake := self._unauthenticated.get(chosen):
            handshake.cancel()
        self._unauthenticated.pop(chosen, None)
        self._authenticated.pop(chosen, None)
        chosen.abort()

    def _least_needed(self) -> Connection | None:
        """Return the connection that others would miss the least, None when all are busy."""
        if self._unauthenticated:
            return next(iter(self._unauthenticated))
        return next((one for one in self._authenticated if one.idle), None)

    # Looking after

    def _sweep(self) -> None:
        now = time.monotonic()
        for connection in (*self._unauthenticated, *self._authenticated):
            connection.check(now)
        if self._counts and now - self._said >= self.limits.log_s:
            for what, count in self._counts.items():
                _LOG.warning("%d connections %s", count, what)
            self._counts.clear()
            self._said = now
        self._listen()
        self._ticks[0] = self._loop.call_later(min(0.5, self.limits.unauthenticated_s / 4), self._sweep)

    def _drain_some(self) -> None:
        for _ in range(min(_DRAINED, len(self._draining))):
            connection = self._draining.popleft()
            if not connection.transport.is_closing():
                connection.flow.resume_reading()
        if self._draining:
            self._ticks[1:] = [self._loop.call_later(_DRAIN_S, self._drain_some)]


_READ = 2**18  # bytes: as many as uvloop takes from a socket at once
_AT_ONCE = 64  # connections accepted in one turn of the event loop
_DRAINED_WIDE = 4
_DRAIN_S, _DRAINED = 0.002, 8  # so often, so many refused bodies get one part of theirs read: up to 128 MB/s together
