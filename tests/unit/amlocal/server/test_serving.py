"""The life of a server around the loop that serves: what is said, written and tidied up."""

import ctypes
import json
import logging
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn

from amlocal import server, state
from amlocal.core.context import Identity
from amlocal.core.errors import AmlocalError
from amlocal.settings import Settings

Loop = Callable[..., None]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(root=tmp_path, workspace="ws")


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Callable[[Loop], None]:
    """Return what puts a function in the place of the loop that serves."""

    def replace(run: Loop) -> None:
        def run_and_close(app: Any, *arguments: Any) -> None:
            try:
                run(app, *arguments)
            finally:
                app._context.documents._database.close()

        monkeypatch.setattr(server, "_run", run_and_close)

    return replace


def test_a_server_that_takes_requests_says_so(settings: Settings, loop: Callable[[Loop], None]) -> None:
    said: list[tuple[Identity, str]] = []

    def run(_: object, __: object, certificate: Path, announce: Callable[[], None]) -> None:
        assert certificate.exists()
        assert said == []
        announce()
        assert json.loads(settings.folder.server.read_text())["origin"] == said[0][1]

    loop(run)
    server.serve(settings, lambda identity, origin: said.append((identity, origin)))
    ((identity, origin),) = said
    assert identity.name == "ws"
    assert origin.startswith("https://127.0.0.1:")
    assert (settings.folder.root / "port").read_text() == origin.rpartition(":")[2]


def test_the_folder_is_locked_as_long_as_the_server_runs(settings: Settings, loop: Callable[[Loop], None]) -> None:
    held: list[bool] = []
    loop(lambda *_: held.append(state.is_held(settings.folder)))
    server.serve(settings, lambda *_: None)
    assert [*held, state.is_held(settings.folder)] == [True, False]


def test_a_server_that_fails_tidies_up(settings: Settings, loop: Callable[[Loop], None]) -> None:
    def fail(_: object, __: object, ___: object, announce: Callable[[], None]) -> None:
        announce()
        raise ZeroDivisionError

    loop(fail)
    with pytest.raises(ZeroDivisionError):
        server.serve(settings, lambda *_: None)
    assert not settings.folder.server.exists()
    assert not state.is_held(settings.folder)


async def refusing(scope: Any, receive: Any, send: Any) -> None:
    """An application that does not start."""
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no"})


def test_a_workspace_that_does_not_open_is_an_error(settings: Settings) -> None:
    settings.folder.create()
    state.prepare(settings, {})
    with server.listen(settings) as listener, pytest.raises(AmlocalError, match="could not be opened"):
        server._run(refusing, listener, settings.folder.certificate, lambda: None)


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
