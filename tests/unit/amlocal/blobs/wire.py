"""Asks the storage routes in process: what the server would do, without the server."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from inspect import isawaitable
from urllib.parse import quote
from xml.etree import ElementTree as ET

from hypothesis import strategies as st

from amlocal.blobs import BlobStore, StorageAccess, routes
from amlocal.core.errors import Unauthorized
from amlocal.core.http import Call, Reply, Router

ORIGIN = "https://127.0.0.1:8443"
KEY = "c3RvcmFnZSBhY2NvdW50IGtleQ=="
# Every name that a blob may have, but for its length.
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(
    lambda name: not {".", ".."}.intersection(name.replace("\\", "/").split("/"))
)
START = datetime(2026, 1, 2, 3, 4, 5, 250000, UTC)


@dataclass
class ManualClock:
    """A clock that a test moves."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **units: float) -> None:
        self.now += timedelta(**units)


@dataclass
class CountingIds:
    """GUIDs in order."""

    last: int = 0

    def __call__(self) -> str:
        self.last += 1
        return f"00000000-0000-0000-0000-{self.last:012x}"


@dataclass(frozen=True)
class Answer:
    """A reply, its body read to the end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str | None:
        return self.headers.get("x-ms-error-code")

    @property
    def xml(self) -> ET.Element:
        return ET.fromstring(self.body)

    @property
    def message(self) -> str:
        return self.xml.findtext("Message", "")


def check_token(token: str) -> None:
    if token != "good":
        raise Unauthorized("The token is not good.")


@dataclass
class Wire:
    """The routes of one store, and a clock to move."""

    store: BlobStore
    clock: ManualClock
    access: StorageAccess = field(init=False)

    def __post_init__(self) -> None:
        self.access = StorageAccess("devstore", KEY, self.clock, check_token)
        self._router = Router(routes(self.store, self.access, clock=self.clock, ids=CountingIds()))

    def sas(self, container: str = "box", permissions: str = "racwdl") -> str:
        return self.access.make_sas(container, permissions, self.clock() + timedelta(hours=1))

    def ask(
        self,
        method: str,
        path: str,
        query: str = "",
        *,
        body: bytes | Iterable[bytes] = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request for the raw `path` below the account, exactly as given."""
        target = f"/devstore{path}" + (f"?{query}" if query else "")
        return self.send(method, target, body=body, headers=headers)

    def signed(
        self,
        method: str,
        name: str,
        query: str = "",
        *,
        body: bytes | Iterable[bytes] = b"",
        headers: Mapping[str, str] | None = None,
        permissions: str = "racwdl",
    ) -> Answer:
        """Send a request for the blob `name` in the container `box` ("" for the container), with a SAS."""
        path = f"/box/{quote(name, safe='/~')}" if name else "/box"
        both = "&".join(part for part in (query, self.sas(permissions=permissions)) if part)
        return self.ask(method, path, both, body=body, headers=headers)

    def put(self, name: str, body: bytes | Iterable[bytes], headers: Mapping[str, str] | None = None) -> Answer:
        """Put a block blob."""
        return self.signed("PUT", name, body=body, headers={"x-ms-blob-type": "BlockBlob", **(headers or {})})

    def send(
        self,
        method: str,
        target: str,
        *,
        body: bytes | Iterable[bytes] = b"",
        headers: Mapping[str, str] | None = None,
        origin: str = ORIGIN,
    ) -> Answer:
        pieces = [body] if isinstance(body, bytes) else body
        stated = {key.lower(): value for key, value in (headers or {}).items()}
        if isinstance(pieces, list):  # else the headers must state it
            stated.setdefault("content-length", str(sum(map(len, pieces))))
        match = self._router.find(method, target.partition("?")[0])
        if match is None:
            raise AssertionError(f"no route for {method} {target}")

        async def stream() -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece

        call = Call(method, target, f"{origin}{target}", match.path, {}, stated, stream)

        async def answered() -> Answer:
            reply = match.route.handler(call)
            return await _whole(await reply if isawaitable(reply) else reply)

        return asyncio.run(answered())


async def _whole(reply: Reply) -> Answer:
    if isinstance(reply.body, AsyncIterator):
        body = b"".join([piece async for piece in reply.body])
    else:
        body = reply.body or b""
    typed = {} if reply.body is None else {"Content-Type": reply.media_type}
    return Answer(reply.status, {**typed, **reply.headers}, body)


def content(wire: Wire, name: str) -> bytes:
    """Return the bytes of a blob in the container `box`."""
    return b"".join(wire.store.read(wire.store.require("box", name)))


def block_list(*entries: tuple[str, str]) -> bytes:
    """Return the body that commits blocks, each named with where it is looked for."""
    return f"<BlockList>{''.join(f'<{tag}>{block}</{tag}>' for tag, block in entries)}</BlockList>".encode()
