"""The life of a server around the loop that serves: what is said, written and tidied up."""

import ctypes
import logging
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn

from amlocal import server


async def refusing(scope: Any, receive: Any, send: Any) -> None:
    """An application that does not start."""
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no"})


def test_a_first_signal_asks_to_end_and_a_second_insists() -> None:
    serving = server._Server(uvicorn.Config(refusing, log_config=None), lambda: None)
    serving.handle_exit(signal.SIGINT, None)
    assert (serving.should_exit, serving.force_exit) == (True, False)
    serving.handle_exit(signal.SIGINT, None)
    assert serving.force_exit


@pytest.fixture
def loggers() -> Iterator[None]:
    """Put the loggers back as they were."""
    names = ("amlocal", "uvicorn.error")
    before = [(logging.getLogger(name), list(logging.getLogger(name).handlers)) for name in names]
    yield
    for logger, handlers in before:
        for handler in set(logger.handlers) - set(handlers):
            handler.close()
        logger.handlers[:] = handlers
        logger.setLevel(logging.NOTSET)
        logger.propagate = True


@pytest.mark.usefixtures("loggers")
def test_a_server_in_the_background_writes_its_log(tmp_path: Path) -> None:
    server.configure_log(tmp_path / "server.log")
    logging.getLogger("amlocal").info("a request")
    logging.getLogger("uvicorn.error").info("a greeting")
    logging.getLogger("uvicorn.error").error("a fault")
    written = (tmp_path / "server.log").read_text()
    assert "INFO a request" in written
    assert "ERROR a fault" in written
    assert "greeting" not in written


@pytest.mark.usefixtures("loggers")
def test_a_server_in_the_foreground_says_its_log(capsys: pytest.CaptureFixture[str]) -> None:
    server.configure_log(None)
    logging.getLogger("amlocal").info("a request")
    captured = capsys.readouterr()
    assert ("a request" in captured.err, captured.out) == (True, "")


def test_the_c_library_is_told_to_give_memory_back_where_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    options: list[tuple[int, int]] = []
    for library in (object(), SimpleNamespace(mallopt=lambda *setting: options.append(setting))):
        monkeypatch.setattr(ctypes, "CDLL", lambda _, library=library: library)
        server._give_memory_back()
    assert sorted(setting for setting, _ in options) == [-8, -3, -1]
