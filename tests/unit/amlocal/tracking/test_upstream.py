"""One exchange with MLflow's process."""

import asyncio
from collections.abc import Mapping

import pytest

from amlocal.tracking.errors import TrackingUnavailable
from amlocal.tracking.process import Address
from amlocal.tracking.upstream import Answer, ask

GOOD = b"\r\n".join(
    [
        b"HTTP/1.0 200 OK",
        b"Content-Type: text/x",
        b"Server: W",
        b"Connection: close",
        b"Content-Length: 4",
        b"",
        b"body",
    ]
)


def exchange(reply: bytes, headers: Mapping[str, str] = {}, content: bytes = b"") -> tuple[Answer, bytes]:
    """Ask a server that sends `reply` and closes; return its answer and what it got."""

    async def talk() -> tuple[Answer, bytes]:
        got: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            got.append(await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(len(content)))
            writer.write(reply)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await ask(Address(port, "s3cret"), "POST", "/mlflow/x?y=%20", headers, content), got[0]

    return asyncio.run(talk())


def test_status_headers_and_body_come_back() -> None:
    assert exchange(GOOD)[0] == Answer(200, {"Content-Type": "text/x"}, b"body")


def test_a_body_of_unknown_length_is_read_to_its_end() -> None:
    assert exchange(b"HTTP/1.0 404 NOT FOUND\r\n\r\nlong body")[0] == Answer(404, {}, b"long body")


def test_the_request_arrives_as_it_was_sent() -> None:
    got = exchange(GOOD, {"content-type": "application/json"}, b"{}")[1]
    assert got.startswith(b"POST /mlflow/x?y=%20 HTTP/1.0\r\n")
    assert b"content-type: application/json\r\n" in got
    assert got.endswith(b"Content-Length: 2\r\n\r\n{}")


def test_credentials_stop_here_and_the_secret_is_added() -> None:
    secrets = {"authorization": "Bearer t", "cookie": "c=1", "host": "h", "origin": "o", "x-amlocal-secret": "forged"}
    got = exchange(GOOD, secrets)[1].lower()
    assert got.count(b"x-amlocal-secret: s3cret") == 1
    assert not any(text in got for text in (b"bearer", b"c=1", b"origin", b"forged"))


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nshort"])
def test_an_answer_that_breaks_off_is_none(reply: bytes) -> None:
    with pytest.raises(TrackingUnavailable, match="went away before it answered POST /mlflow/x"):
        exchange(reply)


def test_nobody_there_is_said() -> None:
    with pytest.raises(TrackingUnavailable, match="went away"):
        asyncio.run(ask(Address(1, "s"), "GET", "/", {}, b""))
