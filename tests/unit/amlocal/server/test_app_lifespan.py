import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from amlocal.app import App
from tests.unit.amlocal.asgi import Workspace


def live(workspace: Workspace, events: list[str], *, broken: bool = False) -> None:
    """Let an application live from start to stop, noting what happens when."""

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        if broken:
            raise RuntimeError("it cannot start")
        events.append("opened")
        yield
        events.append("closed")

    async def receive() -> Mapping[str, Any]:
        events.append("asked")
        return {"type": "lifespan"}

    async def send(message: Mapping[str, Any]) -> None:
        events.append(message["type"])

    app = App(workspace.app._context, [], lambda _: None, lifespan)
    asyncio.run(app({"type": "lifespan"}, receive, send))


def test_the_workspace_is_open_before_the_first_request_and_closed_after_the_last(workspace: Workspace) -> None:
    events: list[str] = []
    live(workspace, events)
    assert events == [
        "asked", "opened", "lifespan.startup.complete", "asked", "closed", "lifespan.shutdown.complete",
    ]  # fmt: skip


def test_a_workspace_that_cannot_open_says_so_to_the_server(workspace: Workspace) -> None:
    events: list[str] = []
    with pytest.raises(RuntimeError, match="it cannot start"):
        live(workspace, events, broken=True)
    assert events == ["asked"]


def test_web_sockets_are_not_answered(workspace: Workspace) -> None:
    async def nothing(*_: object) -> Any:
        raise AssertionError("the application spoke")

    asyncio.run(workspace.app({"type": "websocket"}, nothing, nothing))
