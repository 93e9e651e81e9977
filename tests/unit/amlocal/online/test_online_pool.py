"""The pool over processes that the test answers for."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from amlocal.online.errors import ProcessDied, RolloutFailed, TooBusy
from amlocal.online.pool import Limits, Pool
from amlocal.serving.frames import Answer


class Puppet:
    """A process whose answers, and end, are the test's."""

    def __init__(self, *, comes_up: bool = True) -> None:
        self.comes_up = comes_up
        self.was_asked = asyncio.Event()
        self.asked: list[asyncio.Future[Answer]] = []
        self.end: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def start(self) -> None:
        if not self.comes_up:
            self.end.set_result(1)
            raise ProcessDied("crashed")

    def ask(self, body: bytes, content_type: str) -> asyncio.Future[Answer]:
        self.was_asked.set()
        self.asked.append(asyncio.get_running_loop().create_future())
        return self.asked[-1]

    def ping(self) -> asyncio.Future[Answer]:
        alive: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        alive.set_result(Answer(0))
        return alive

    async def ended(self) -> int:
        return await asyncio.shield(self.end)

    async def stop(self) -> None:
        if not self.end.done():
            self.end.set_result(-9)
        for question in self.asked:
            if not question.done():
                question.set_exception(ProcessDied("gone"))


class Stage:
    """A pool, the processes that it made and what it wrote to the log."""

    def __init__(self, limits: Limits, *, comes_up: Callable[[int], bool] = lambda number: True) -> None:
        self.made: list[Puppet] = []
        self.said: list[str] = []
        self._comes_up = comes_up
        self.pool = Pool(self._make, limits, self.said.append)

    def _make(self) -> Puppet:
        self.made.append(Puppet(comes_up=self._comes_up(len(self.made))))
        return self.made[-1]

    async def sent(self, *, to: int) -> None:
        """Wait until the process of that number has been asked."""
        while len(self.made) <= to:  # noqa: ASYNC110 - a fresh process has nobody yet to tell of it
            await asyncio.sleep(0.01)
        await self.made[to].was_asked.wait()

    def ask(self) -> "asyncio.Task[Answer]":
        return asyncio.create_task(self.pool.score(b"", ""))


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def play(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def within() -> None:
        async with asyncio.timeout(10):
            await scene()

    asyncio.run(within())


def test_twice_as_many_requests_as_may_run_are_held_and_the_next_is_turned_away() -> None:
    async def scene() -> None:
        stage = Stage(Limits(concurrent=2))
        await stage.pool.start()
        asked = [stage.ask() for _ in range(4)]
        await settle()
        assert len(stage.made[0].asked) == 2
        with pytest.raises(TooBusy):
            await stage.pool.score(b"", "")
        for number in range(4):
            await settle()
            stage.made[0].asked[number].set_result(Answer(number))
        assert {answer.number for answer in await asyncio.gather(*asked)} == {0, 1, 2, 3}
        await stage.pool.stop()

    play(scene)


def test_requests_go_to_the_least_busy_process() -> None:
    async def scene() -> None:
        stage = Stage(Limits(instances=2, concurrent=2))
        await stage.pool.start()
        asked = [stage.ask() for _ in range(2)]
        await settle()
        assert [len(process.asked) for process in stage.made] == [1, 1]
        for process in stage.made:
            process.asked[0].set_result(Answer(0))
        await asyncio.gather(*asked)
        await stage.pool.stop()

    play(scene)


def test_a_request_past_its_time_fails_and_the_process_stays_busy_until_it_answers() -> None:
    async def scene() -> None:
        stage = Stage(Limits(timeout_s=0.01))
        await stage.pool.start()
        with pytest.raises(TimeoutError):
            await stage.pool.score(b"", "")
        waiting = stage.ask()
        await settle()
        assert len(stage.made[0].asked) == 1
        stage.made[0].asked[0].set_result(Answer(0))
        await settle()
        stage.made[0].asked[1].set_result(Answer(1))
        assert (await waiting).number == 1
        await stage.pool.stop()

    play(scene)


def test_draining_lets_every_request_have_its_answer_before_the_process_ends() -> None:
    async def scene() -> None:
        stage = Stage(Limits())
        await stage.pool.start()
        asked = [stage.ask(), stage.ask()]
        await settle()
        draining = asyncio.create_task(stage.pool.drain())
        for number in range(2):
            await settle()
            assert not stage.made[0].end.done()
            stage.made[0].asked[number].set_result(Answer(number))
        await draining
        assert [(await one).number for one in asked] == [0, 1]
        assert stage.made[0].end.done()

    play(scene)


def test_a_process_that_dies_fails_its_request_is_replaced_and_the_waiting_one_is_served() -> None:
    async def scene() -> None:
        stage = Stage(Limits())
        await stage.pool.start()
        first, second = stage.ask(), stage.ask()
        await settle()
        await stage.made[0].stop()
        with pytest.raises(ProcessDied):
            await first
        await stage.sent(to=1)
        stage.made[1].asked[0].set_result(Answer(7))
        assert (await second).number == 7
        assert any("ended with code -9" in line for line in stage.said)
        await stage.pool.stop()

    play(scene)


def test_a_deployment_of_which_one_process_does_not_come_up_leaves_none_behind() -> None:
    async def scene() -> None:
        stage = Stage(Limits(instances=2), comes_up=lambda number: number == 0)
        with pytest.raises(RolloutFailed, match="ended with code 1"):
            await stage.pool.start()
        assert all(process.end.done() for process in stage.made)

    play(scene)
