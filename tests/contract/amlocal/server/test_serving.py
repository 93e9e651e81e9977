"""The life of a server around the loop that serves: what is said, written and tidied up."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from amlocal import server, state
from amlocal.core.context import Identity
from amlocal.core.errors import AmlocalError
from amlocal.settings import Settings
from tests.unit.amlocal.server.test_serving import refusing

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
    locked: list[bool] = []
    loop(lambda *_: locked.append(state.is_locked(settings.folder)))
    server.serve(settings, lambda *_: None)
    assert [*locked, state.is_locked(settings.folder)] == [True, False]


def test_a_server_that_fails_tidies_up(settings: Settings, loop: Callable[[Loop], None]) -> None:
    def fail(_: object, __: object, ___: object, announce: Callable[[], None]) -> None:
        announce()
        raise ZeroDivisionError

    loop(fail)
    with pytest.raises(ZeroDivisionError):
        server.serve(settings, lambda *_: None)
    assert not settings.folder.server.exists()
    assert not state.is_locked(settings.folder)


def test_a_workspace_that_does_not_open_is_an_error(settings: Settings) -> None:
    settings.folder.create()
    state.prepare(settings, {})
    with server.listen(settings) as listener, pytest.raises(AmlocalError, match="could not be opened"):
        server._run(refusing, listener, settings.folder.certificate, lambda: None)
