"""Asks a workspace's application in process: what the server would do, without the server."""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from hypothesis import settings

from amlocal import state
from amlocal.app import App
from amlocal.assembly import build
from amlocal.core.context import Identity
from amlocal.identity.secrets import load_secrets
from amlocal.identity.tokens import Tokens
from amlocal.settings import Settings
from tests.unit.amlocal.blobs.wire import CountingIds, ManualClock

ORIGIN = "https://127.0.0.1:8443"
# For properties over HTTP: an example takes milliseconds, and how many depends on the machine.
FEW = settings(deadline=None)
DISCONNECT: Mapping[str, Any] = {"type": "http.disconnect"}


@dataclass(frozen=True)
class Answer:
    """What came back, the body whole. `parts` are the body's messages one by one."""

    status: int
    headers: Mapping[str, str]
    parts: tuple[bytes, ...]

    @property
    def body(self) -> bytes:
        return b"".join(self.parts)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        envelope: dict[str, Any] = self.json["error"]
        return envelope


def chunks(*parts: bytes, whole: bool = True) -> list[Mapping[str, Any]]:
    """Return a request's body as the server hands it over; not `whole` ends in the client's going away."""
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    return [*messages, {"type": "http.request", "body": b"", "more_body": False} if whole else DISCONNECT]


@dataclass
class Client:
    """Sends requests to an application; `token` goes along as the bearer unless a request brings its own header."""

    app: Callable[..., Any]
    token: str = ""

    def send(self, method: str, target: str, body: Any = None, **options: Any) -> Answer | None:
        """Return what `exchange` returns, for a test that has no event loop."""
        return asyncio.run(self.exchange(method, target, body, **options))

    async def exchange(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        messages: Iterable[Mapping[str, Any]] | None = None,
    ) -> Answer | None:
        """Return the answer, or None when the application sent none; `target` may be an absolute URL."""
        parts = urlsplit(target)
        sent = {"authorization": f"Bearer {self.token}"} if self.token else {}
        scope = {
            "type": "http",
            "method": method,
            "raw_path": parts.path.encode("latin-1"),
            "query_string": (urlencode(query) if query else parts.query).encode(),
            "headers": [(key.encode(), value.encode("latin-1")) for key, value in (sent | dict(headers or {})).items()],
        }
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        incoming = iter([*(chunks(content) if messages is None else messages), DISCONNECT])
        outgoing: list[Mapping[str, Any]] = []

        async def receive() -> Mapping[str, Any]:
            return next(incoming)

        async def keep(message: Mapping[str, Any]) -> None:
            outgoing.append(message)

        await self.app(scope, receive, keep)
        if not outgoing:
            return None
        start, *rest = outgoing
        got = {key.decode("latin-1"): value.decode("latin-1") for key, value in start["headers"]}
        return Answer(start["status"], got, tuple(message["body"] for message in rest))

    def __call__(self, method: str, target: str, body: Any = None, **options: Any) -> Answer:
        """Return the answer of a request that is whole."""
        answer = self.send(method, target, body, **options)
        assert answer is not None, f"{method} {target} was not answered"
        return answer


@dataclass
class Workspace:
    """A workspace in this process: no socket, no MLflow, its jobs not started."""

    app: App
    settings: Settings
    identity: Identity
    tokens: Tokens
    clock: ManualClock
    ask: Client = field(init=False)
    _names: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.ask = Client(self.app, self.tokens.issue("any")[0])

    def fresh(self) -> str:
        """Return a name that no example of a property has used."""
        return f"n{next(self._names)}"

    @property
    def arm(self) -> str:
        """The workspace's ARM id."""
        return self.identity.arm_id

    def arm_of(self, path: str) -> str:
        """Return the path of something in the workspace, by its path below it."""
        return f"{self.arm}/{path}"

    def get(self, path: str, **query: str) -> Answer:
        """GET below the workspace."""
        return self.ask("GET", self.arm_of(path), query=query)

    def put(self, path: str, properties: Any, **body: Any) -> Answer:
        """PUT `properties` below the workspace."""
        return self.ask("PUT", self.arm_of(path), {"properties": properties, **body})


@contextmanager
def open_workspace(root: Path, *, origin: str = ORIGIN) -> Iterator[Workspace]:
    """Open the workspace below `root`, made on first use. Time and GUIDs are the test's."""
    settings = Settings(root=root)
    settings.folder.create()
    identity, created = state.open_identity(settings)
    clock = ManualClock()
    app = build(settings, identity, created, origin, clock=clock, ids=CountingIds())
    tokens = Tokens(load_secrets(settings.folder.secrets).signing, identity.guid, clock)
    yield Workspace(app, settings, identity, tokens, clock)
    app._context.documents._database.close()
