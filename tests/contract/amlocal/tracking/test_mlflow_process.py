"""MLflow's process, with other programs in its place: started, watched, started again, asked."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import pytest

from amlocal.tracking.errors import TrackingUnavailable
from amlocal.tracking.mlflow_process import MlflowAddress, MlflowProcess, MlflowResponse, child_environ, send_request

Test = Callable[[MlflowProcess], Awaitable[None]]


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def live(folder: Path, command: Sequence[str], test: Test, clock: Clock | None = None, timeout_s: float = 30) -> None:
    """Run a test with a process that is stopped behind it."""

    async def run() -> None:
        process = MlflowProcess(folder, {}, command=command, start_timeout_s=timeout_s, clock=clock or Clock())
        try:
            await test(process)
        finally:
            await process.stop()

    asyncio.run(run())


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", f"import sys, time\n{code}")


def test_all_who_wait_get_the_same_process(tmp_path: Path, stand_in: Sequence[str]) -> None:
    async def test(process: MlflowProcess) -> None:
        process.start()
        first, second = await asyncio.gather(process.address(), process.address())
        assert first == second == await process.address()

    live(tmp_path, stand_in, test)


def test_one_who_stops_waiting_does_not_end_the_start(tmp_path: Path, stand_in: Sequence[str]) -> None:
    async def test(process: MlflowProcess) -> None:
        waiting = asyncio.create_task(process.address())
        await asyncio.sleep(0)
        waiting.cancel()
        assert (await process.address()).port > 0

    live(tmp_path, stand_in, test)


def test_one_that_died_is_started_again(tmp_path: Path, stand_in: Sequence[str]) -> None:
    async def test(process: MlflowProcess) -> None:
        first = await process.address()
        assert process._process is not None
        process._process.kill()
        await process._process.wait()
        assert await process.address() != first

    live(tmp_path, stand_in, test)


def test_a_failed_start_gives_the_logs_last_lines(tmp_path: Path) -> None:
    async def test(process: MlflowProcess) -> None:
        with pytest.raises(TrackingUnavailable, match=r"did not start.*mlflow\.log: old \| ImportError: no mlflow"):
            await process.address()

    live(tmp_path, python("print('old\\nImportError: no mlflow', file=sys.stderr); sys.exit(1)"), test)


def test_a_silent_failure_says_that_the_log_is_empty(tmp_path: Path) -> None:
    async def test(process: MlflowProcess) -> None:
        with pytest.raises(TrackingUnavailable, match="none"):
            await process.address()

    live(tmp_path, python("sys.exit(1)"), test)


@pytest.mark.parametrize("code", ["time.sleep(60)", "print('not a port', flush=True); time.sleep(60)"])
def test_a_start_that_never_ends_well_is_ended(tmp_path: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "amlocal.tracking.mlflow_process._STOP_TIMEOUT_S", 0.01
    )  # it takes no notice of the closed pipe

    async def test(process: MlflowProcess) -> None:
        with pytest.raises(TrackingUnavailable):
            await process.address()
        assert process._process is not None
        assert process._process.returncode is not None

    live(tmp_path, python(code), test, timeout_s=0.3)


def test_failed_starts_are_tried_again_after_longer_and_longer_pauses(tmp_path: Path) -> None:
    clock = Clock()

    async def test(process: MlflowProcess) -> None:
        for pause in (2, 4, 8):
            with pytest.raises(TrackingUnavailable) as caught:
                await process.address()
            assert "next try" not in str(caught.value)
            with pytest.raises(TrackingUnavailable, match=f"next try is in {pause} s"):
                await process.address()
            clock.now += pause

    live(tmp_path, python("sys.exit(1)"), test, clock)


def test_stop_ends_a_process_that_is_still_starting(tmp_path: Path) -> None:
    async def test(process: MlflowProcess) -> None:
        start = process.start()
        while process._process is None:  # noqa: ASYNC110 - nothing tells when the process is there
            await asyncio.sleep(0)
        await process.stop()
        assert start.cancelled()
        assert process._process.returncode is not None

    live(tmp_path, python("sys.stdin.read()"), test)


def test_stop_without_a_start_does_nothing(tmp_path: Path) -> None:
    async def test(process: MlflowProcess) -> None:
        await process.stop()

    live(tmp_path, python(""), test)


def test_the_folder_is_made(tmp_path: Path, stand_in: Sequence[str]) -> None:
    async def test(process: MlflowProcess) -> None:
        await process.address()

    live(tmp_path / "new", stand_in, test)
    assert (tmp_path / "new" / "mlflow.log").exists()


def test_what_the_user_set_for_mlflows_client_does_not_reach_the_server() -> None:
    user = {"PATH": "/bin", "MLFLOW_TRACKING_URI": "https://elsewhere", "_MLFLOW_SERVER_FILE_STORE": "x"}
    environ = child_environ(user, "s3cret")
    assert environ["PATH"] == "/bin"
    assert "MLFLOW_TRACKING_URI" not in environ
    assert environ["_MLFLOW_SERVER_FILE_STORE"] == "sqlite:///mlflow.db"
    assert environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


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


def exchange(reply: bytes, headers: Mapping[str, str] = {}, content: bytes = b"") -> tuple[MlflowResponse, bytes]:
    """Ask a server that sends `reply` and closes; return its answer and what it got."""

    async def talk() -> tuple[MlflowResponse, bytes]:
        got: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            got.append(await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(len(content)))
            writer.write(reply)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await send_request(MlflowAddress(port, "s3cret"), "POST", "/mlflow/x?y=%20", headers, content), got[
                0
            ]

    return asyncio.run(talk())


def test_status_headers_and_body_come_back() -> None:
    assert exchange(GOOD)[0] == MlflowResponse(200, {"Content-Type": "text/x"}, b"body")


def test_a_body_of_unknown_length_is_read_to_its_end() -> None:
    assert exchange(b"HTTP/1.0 404 NOT FOUND\r\n\r\nlong body")[0] == MlflowResponse(404, {}, b"long body")


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
        asyncio.run(send_request(MlflowAddress(1, "s"), "GET", "/", {}, b""))
