"""The life of MLflow's process, with stand-ins that are up at once."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from amlocal.tracking.errors import TrackingUnavailable
from amlocal.tracking.process import MlflowProcess, child_environ

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
    monkeypatch.setattr("amlocal.tracking.process._FAREWELL_S", 0.01)  # it takes no notice of the closed pipe

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
