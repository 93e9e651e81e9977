"""A workspace from its start to its stop, without MLflow."""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from amlocal import state
from amlocal.app import App
from amlocal.assembly import build
from amlocal.blobs import BlobStore
from amlocal.jobs import process
from amlocal.settings import Settings
from amlocal.tracking.tracking import Tracking
from tests.unit.amlocal.asgi import ORIGIN

Events = list[str]


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> Events:
    """What happens to tracking, which is not really started."""
    events: Events = []

    def note(event: str) -> Callable[[Tracking], Awaitable[None]]:
        async def noted(_: Tracking) -> None:
            events.append(event)

        return noted

    for event in ("start", "stop"):
        monkeypatch.setattr(Tracking, event, note(event))
    monkeypatch.setattr(process, "sandbox_method", lambda: "tried elsewhere")  # it is tried in a process
    return events


@pytest.fixture
def app(tmp_path: Path) -> App:
    settings = Settings(root=tmp_path)
    settings.folder.create()
    return build(settings, *state.open_identity(settings), ORIGIN)


def live(app: App) -> None:
    async def enter_and_leave() -> None:
        async with app._lifespan():
            pass

    asyncio.run(enter_and_leave())


def closed(app: App) -> bool:
    try:
        app._context.documents.select("data").all()
    except sqlite3.ProgrammingError:
        return True
    return False


def test_what_was_opened_is_closed(app: App, events: Events) -> None:
    live(app)
    assert events == ["start", "stop"]
    assert closed(app)


def test_what_was_opened_is_closed_when_the_next_thing_does_not_open(
    app: App, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("amlocal.assembly.jobs.Jobs.start", fail)
    with pytest.raises(ZeroDivisionError):
        live(app)
    assert events == ["start", "stop"]
    assert closed(app)


@pytest.mark.usefixtures("events")
def test_the_bytes_of_deleted_blobs_are_freed(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    collected: list[str] = []
    monkeypatch.setattr(BlobStore, "collect_garbage", lambda _: collected.append("once"))
    live(app)
    assert collected == ["once"]


@pytest.mark.usefixtures("events")
def test_bytes_that_cannot_be_freed_do_not_stop_the_server(
    app: App, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: BlobStore) -> None:
        raise PermissionError("not yours")

    monkeypatch.setattr(BlobStore, "collect_garbage", fail)
    with caplog.at_level(logging.ERROR, "amlocal"):
        live(app)
    assert "not yours" in caplog.text
