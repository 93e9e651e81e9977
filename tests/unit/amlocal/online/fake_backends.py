"""Processes of a deployment that the test answers for, and that end when it says so."""

import asyncio
from collections.abc import Callable, Mapping

from amlocal.online.errors import ProcessDied
from amlocal.online_scoring.link import ScoringResponse

Reply = Callable[[bytes], ScoringResponse | None]  # None leaves the question to the test


class FakeBackend:
    """A process whose answers, and end, are the test's."""

    def __init__(
        self, *, comes_up: bool = True, gate: asyncio.Event | None = None, reply: Reply = lambda body: None
    ) -> None:
        self.comes_up = comes_up
        self.answers_ping: Callable[[int], bool] = lambda number: True
        self.was_asked = asyncio.Event()
        self.asked: list[asyncio.Future[ScoringResponse]] = []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.pings = 0
        self.lost: Callable[[], None] = lambda: None
        self.end: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._gate = gate
        self._reply = reply

    async def start(self) -> None:
        if self._gate is not None:
            await self._gate.wait()
        if not self.comes_up:
            self.end.set_result(1)
            raise ProcessDied("crashed")

    def watch(self, lost: Callable[[], None]) -> None:
        self.lost = lost

    def ask(
        self, body: bytes, content_type: str, headers: Mapping[str, str] | None = None
    ) -> asyncio.Future[ScoringResponse]:
        future: asyncio.Future[ScoringResponse] = asyncio.get_running_loop().create_future()
        self.was_asked.set()
        self.asked.append(future)
        self.bodies.append(body)
        self.headers.append(dict(headers or {}))
        answer = self._reply(body)
        if answer is not None:
            future.set_result(answer)
        return future

    def ping(self) -> asyncio.Future[ScoringResponse]:
        self.pings += 1
        sign: asyncio.Future[ScoringResponse] = asyncio.get_running_loop().create_future()
        if self.answers_ping(self.pings):
            sign.set_result(ScoringResponse(0))
        return sign

    async def describe(self, version: str) -> ScoringResponse:
        if self.end.done():
            raise ProcessDied("gone")
        return ScoringResponse(0, 200, b'{"version": "%s"}' % version.encode())

    async def ended(self) -> int:
        return await asyncio.shield(self.end)

    async def stop(self) -> None:
        if not self.end.done():
            self.end.set_result(-9)
        for question in self.asked:
            if not question.done():
                question.set_exception(ProcessDied("gone"))


async def settle() -> None:
    """Let everything that is ready run."""
    for _ in range(10):
        await asyncio.sleep(0)


async def eventually(condition: Callable[[], object]) -> None:
    """Wait for what comes about in a thread; the time that the scene has is the limit."""
    while not condition():  # noqa: ASYNC110 - a thread has no event of this loop's to set
        await asyncio.sleep(0.005)
