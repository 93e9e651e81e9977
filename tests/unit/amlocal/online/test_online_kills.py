"""A process that is killed costs the requests that it had, and no others: the pool over processes of the test's own."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amlocal.online.errors import ProcessDied, WorkerDied
from amlocal.online.pool import Pool, PoolSettings
from amlocal.online_scoring.link import ScoringResponse
from tests.unit.amlocal.online.fake_backends import FakeBackend, settle

TIMEOUT_S, START_S = 5.0, 310.0
EVENTS = st.sampled_from(["ask", "answer", "kill", "kill the one that starts", "up", "leap"])


class LeapingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time goes on when the test says so."""

    def __init__(self) -> None:
        super().__init__(selectors.DefaultSelector())
        self.leaped = 0.0

    def time(self) -> float:
        return super().time() + self.leaped


async def leap(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, LeapingLoop)
    loop.leaped += seconds
    await settle()


def run_scenarios(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        runner.run(scene())


class Process(FakeBackend):
    """A fake that comes up when the test lets it."""

    def __init__(self, *, held: bool) -> None:
        self.gate = asyncio.Event()
        super().__init__(gate=self.gate)
        if not held:
            self.gate.set()

    async def start(self) -> None:
        opened = asyncio.ensure_future(self.gate.wait())
        ended = asyncio.ensure_future(self.ended())
        await asyncio.wait((opened, ended), return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        ended.cancel()
        if self.end.done():
            raise ProcessDied("killed while it started")

    @property
    def is_up(self) -> bool:
        return self.gate.is_set() and not self.end.done()

    @property
    def at_work(self) -> list["asyncio.Future[ScoringResponse]"]:
        return [question for question in self.asked if not question.done()]


@dataclass
class Scene:
    """A pool, its processes and what was asked of it; `lost` counts requests that a killed process had."""

    settings: PoolSettings
    processes: list[Process] = field(default_factory=list)
    asked: list["asyncio.Task[ScoringResponse]"] = field(default_factory=list)
    lost: int = 0
    late: int = 0

    def __post_init__(self) -> None:
        self.pool = Pool(self._make, self.settings, lambda _: None)

    def _make(self) -> Process:
        self.processes.append(Process(held=len(self.processes) >= self.settings.instances))
        return self.processes[-1]

    def up(self) -> list[Process]:
        return [process for process in self.processes if process.is_up]

    def starting(self) -> list[Process]:
        return [process for process in self.processes if not process.gate.is_set() and not process.end.done()]

    async def run_scenarios(self, event: str) -> None:
        up, starting = self.up(), self.starting()
        if event == "ask" and self.pending() < 2 * self.settings.concurrent * self.settings.instances:
            self.asked.append(asyncio.create_task(self.pool.score(b"", "")))
        elif event == "answer" and (busy := [process for process in up if process.at_work]):
            busy[0].at_work[0].set_result(ScoringResponse(1))
        elif event == "kill" and up:
            self.lost += len(up[0].at_work)
            await up[0].stop()
        elif event == "kill the one that starts" and starting:
            await starting[0].stop()
        elif event == "up" and starting:
            starting[0].gate.set()
        elif event == "leap" and len(up) < self.settings.instances:
            self.late += sum(len(process.at_work) for process in up)
            await leap(TIMEOUT_S + 1)
        await settle()

    def pending(self) -> int:
        return sum(not one.done() for one in self.asked)

    async def end(self) -> None:
        """Let every process come up and every question be answered."""
        while self.pending():
            for process in self.starting():
                process.gate.set()
            for process in self.up():
                for question in process.at_work:
                    question.set_result(ScoringResponse(1))
            await settle()
        await self.pool.stop()


@settings(max_examples=150, deadline=None)
@given(
    instances=st.integers(1, 2),
    concurrent=st.integers(1, 3),
    events=st.lists(EVENTS, max_size=40),
)
def test_a_killed_process_costs_the_requests_that_it_had_and_no_others(
    instances: int, concurrent: int, events: list[str]
) -> None:
    async def scene() -> None:
        limits = PoolSettings(instances=instances, concurrent=concurrent, timeout_s=TIMEOUT_S, start_s=1e6, pause_s=0.0)
        scene = Scene(limits)
        await scene.pool.start()
        for event in events:
            await scene.run_scenarios(event)
        await scene.end()
        results = await asyncio.gather(*scene.asked, return_exceptions=True)
        failed = [result for result in results if isinstance(result, BaseException)]
        assert sum(isinstance(error, ProcessDied) for error in failed) <= scene.lost
        assert sum(isinstance(error, TimeoutError) for error in failed) <= scene.late
        assert all(isinstance(error, (ProcessDied, TimeoutError)) for error in failed)

    run_scenarios(scene)


def test_the_time_of_one_that_waits_goes_on_where_it_stood_once_a_process_is_up() -> None:
    async def scene() -> None:
        scene = Scene(PoolSettings(timeout_s=TIMEOUT_S, start_s=START_S, pause_s=0.0))
        await scene.pool.start()
        await scene.run_scenarios("kill")
        await scene.run_scenarios("ask")
        await leap(START_S - 1)
        await scene.run_scenarios("up")
        assert scene.processes[1].at_work
        assert not scene.asked[0].done()
        await leap(TIMEOUT_S + 1)  # of the model's
        with pytest.raises(TimeoutError):
            await scene.asked[0]
        await scene.pool.stop()

    run_scenarios(scene)


def test_nobody_waits_longer_than_a_process_may_take_to_start() -> None:
    async def scene() -> None:
        scene = Scene(PoolSettings(timeout_s=TIMEOUT_S, start_s=START_S, pause_s=0.0))
        await scene.pool.start()
        await scene.run_scenarios("kill")
        await scene.run_scenarios("ask")
        await leap(START_S + 1)
        await leap(TIMEOUT_S + 1)
        with pytest.raises(TimeoutError):
            await scene.asked[0]
        await scene.pool.stop()

    run_scenarios(scene)


def test_a_model_that_fails_while_it_is_loaded_again_is_waited_for_no_longer_than_a_request_may_take() -> None:
    async def scene() -> None:
        scene = Scene(PoolSettings(timeout_s=TIMEOUT_S, start_s=START_S, pause_s=0.0))
        await scene.pool.start()
        await scene.run_scenarios("kill")
        await scene.run_scenarios("ask")
        scene.starting()[0].end.set_result(3)  # by itself
        await settle()
        await leap(TIMEOUT_S + 1)
        with pytest.raises(TimeoutError):
            await scene.asked[0]
        await scene.pool.stop()

    run_scenarios(scene)


@pytest.mark.parametrize("told_by", ["a request that it had", "the server"])
def test_what_a_server_has_in_its_socket_waits_for_its_next_worker(told_by: str) -> None:
    async def scene() -> None:
        scene = Scene(PoolSettings(concurrent=2, timeout_s=TIMEOUT_S, start_s=START_S))
        await scene.pool.start()
        server = scene.processes[0]
        signs: list[asyncio.Future[ScoringResponse]] = []

        def ping() -> "asyncio.Future[ScoringResponse]":
            signs.append(asyncio.get_running_loop().create_future())
            return signs[-1]

        server.ping = ping  # type: ignore[method-assign] # none of its signs comes by itself
        for _ in range(3):
            await scene.run_scenarios("ask")
        lost = server.at_work[0]
        if told_by == "the server":
            server.lost()
            await settle()
            await leap(TIMEOUT_S + 1)
        lost.set_exception(WorkerDied("killed"))
        await settle()
        await leap(TIMEOUT_S + 1)
        assert (len(server.asked), [one.done() for one in scene.asked]) == (2, [True, False, False])
        for sign in signs:
            sign.set_result(ScoringResponse(0))
        await settle()
        for question in server.at_work:
            question.set_result(ScoringResponse(1))
        assert [(await one).number for one in scene.asked[1:]] == [1, 1]
        with pytest.raises(WorkerDied):
            await scene.asked[0]
        await scene.pool.stop()

    run_scenarios(scene)


def test_a_drained_pool_lets_those_have_their_answers_that_wait_for_a_process() -> None:
    async def scene() -> None:
        scene = Scene(PoolSettings(timeout_s=TIMEOUT_S, start_s=START_S, pause_s=0.0))
        await scene.pool.start()
        await scene.run_scenarios("kill")
        await scene.run_scenarios("ask")
        draining = asyncio.create_task(scene.pool.drain())
        await settle()
        await leap(TIMEOUT_S + 1)
        assert not draining.done()
        await scene.run_scenarios("up")
        await scene.run_scenarios("answer")
        assert (await scene.asked[0]).number == 1
        await draining

    run_scenarios(scene)
