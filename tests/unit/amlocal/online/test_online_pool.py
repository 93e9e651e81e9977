"""The pool over processes that the test answers for."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import pytest

from amlocal.online.errors import NotSent, ProcessDied, RolloutFailed, TooBusy, WorkerDied
from amlocal.online.pool import Pool, PoolSettings
from amlocal.online_scoring.link import ScoringResponse
from tests.unit.amlocal.online.fake_backends import FakeBackend, eventually, settle


class Bench:
    """A pool, the processes that it made and what it wrote to the log."""

    def __init__(
        self,
        limits: PoolSettings,
        *,
        comes_up: Callable[[int], bool] = lambda number: True,
        gate: asyncio.Event | None = None,
    ) -> None:
        self.made: list[FakeBackend] = []
        self.said: list[str] = []
        self._comes_up = comes_up
        self._gate = gate
        self.pool = Pool(self._make, limits, self.said.append)

    def _make(self) -> FakeBackend:
        self.made.append(FakeBackend(comes_up=self._comes_up(len(self.made)), gate=self._gate))
        return self.made[-1]

    def has_said(self, words: str, *, times: int) -> bool:
        return sum(words in line for line in self.said) >= times

    async def sent(self, *, to: int) -> None:
        """Wait until the process of that number has been asked."""
        while len(self.made) <= to:  # noqa: ASYNC110 - a fresh process has nobody yet to tell of it
            await asyncio.sleep(0.01)
        await self.made[to].was_asked.wait()

    def ask(self) -> "asyncio.Task[ScoringResponse]":
        return asyncio.create_task(self.pool.score(b"", ""))


def run_scenarios(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def within() -> None:
        async with asyncio.timeout(10):
            await scene()

    asyncio.run(within())


def test_twice_as_many_requests_as_may_run_wait_and_the_next_is_turned_away() -> None:
    async def scene() -> None:
        bench = Bench(PoolSettings(concurrent=2))
        await bench.pool.start()
        asked = [bench.ask() for _ in range(4)]
        await settle()
        assert len(bench.made[0].asked) == 2
        with pytest.raises(TooBusy):
            await bench.pool.score(b"", "")
        for number in range(4):
            await settle()
            bench.made[0].asked[number].set_result(ScoringResponse(number))
        assert {answer.number for answer in await asyncio.gather(*asked)} == {0, 1, 2, 3}
        await bench.pool.stop()

    run_scenarios(scene)


def test_requests_go_to_the_least_busy_process() -> None:
    async def scene() -> None:
        bench = Bench(PoolSettings(instances=2, concurrent=2))
        await bench.pool.start()
        asked = [bench.ask() for _ in range(2)]
        await settle()
        assert [len(process.asked) for process in bench.made] == [1, 1]
        for process in bench.made:
            process.asked[0].set_result(ScoringResponse(0))
        await asyncio.gather(*asked)
        await bench.pool.stop()

    run_scenarios(scene)


def test_a_request_past_its_time_fails_and_the_process_stays_busy_until_it_answers() -> None:
    async def scene() -> None:
        bench = Bench(PoolSettings(timeout_s=0.01))
        await bench.pool.start()
        with pytest.raises(TimeoutError):
            await bench.pool.score(b"", "")
        waiting = bench.ask()
        await settle()
        assert len(bench.made[0].asked) == 1
        bench.made[0].asked[0].set_result(ScoringResponse(0))
        await settle()
        bench.made[0].asked[1].set_result(ScoringResponse(1))
        assert (await waiting).number == 1
        await bench.pool.stop()

    run_scenarios(scene)


def test_draining_lets_every_request_have_its_answer_before_the_process_ends() -> None:
    async def scene() -> None:
        bench = Bench(PoolSettings())
        await bench.pool.start()
        asked = [bench.ask(), bench.ask()]
        await settle()
        draining = asyncio.create_task(bench.pool.drain())
        for number in range(2):
            await settle()
            assert not bench.made[0].end.done()
            bench.made[0].asked[number].set_result(ScoringResponse(number))
        await draining
        assert [(await one).number for one in asked] == [0, 1]
        assert bench.made[0].end.done()

    run_scenarios(scene)


def test_a_process_that_dies_fails_its_request_is_replaced_and_the_waiting_one_is_served() -> None:
    async def scene() -> None:
        bench = Bench(PoolSettings(pause_s=0.001))
        await bench.pool.start()
        first, second = bench.ask(), bench.ask()
        await settle()
        await bench.made[0].stop()
        with pytest.raises(ProcessDied):
            await first
        await bench.sent(to=1)
        bench.made[1].asked[0].set_result(ScoringResponse(7))
        assert (await second).number == 7
        assert any("ended with code -9" in line for line in bench.said)
        await bench.pool.stop()

    run_scenarios(scene)


def test_a_deployment_of_which_one_process_does_not_come_up_leaves_none_behind() -> None:
    async def scene() -> None:
        bench = Bench(PoolSettings(instances=2), comes_up=lambda number: number == 0)
        with pytest.raises(RolloutFailed, match="ended with code 1"):
            await bench.pool.start()
        assert all(process.end.done() for process in bench.made)

    run_scenarios(scene)


def test_a_model_that_hangs_is_drained_no_longer_than_a_request_may_take() -> None:
    async def scene() -> None:
        bench = Bench(PoolSettings(timeout_s=0.01))
        await bench.pool.start()
        with pytest.raises(TimeoutError):
            await bench.pool.score(b"", "")
        await bench.pool.drain()
        assert bench.made[0].end.done()

    run_scenarios(scene)


def test_a_server_that_lost_one_worker_is_asked_again_without_being_started_anew() -> None:
    async def scene() -> None:
        bench = Bench(PoolSettings())
        await bench.pool.start()
        lost, waiting = bench.ask(), bench.ask()
        await settle()
        bench.made[0].asked[0].set_exception(WorkerDied("exit"))
        with pytest.raises(WorkerDied):
            await lost
        await settle()
        bench.made[0].asked[1].set_result(ScoringResponse(2))
        assert (await waiting).number == 2
        assert len(bench.made) == 1
        await bench.pool.stop()

    run_scenarios(scene)


def test_a_request_that_never_reached_a_process_goes_to_the_next_one() -> None:
    async def scene() -> None:
        bench = Bench(PoolSettings(instances=2))
        await bench.pool.start()
        asked = bench.ask()
        await settle()
        bench.made[0].asked[0].set_exception(NotSent("gone before"))
        await settle()
        bench.made[1].asked[0].set_result(ScoringResponse(5))
        assert (await asked).number == 5
        await bench.pool.stop()

    run_scenarios(scene)


def test_a_caller_that_goes_away_leaves_its_turn_to_the_next() -> None:
    async def scene() -> None:
        bench = Bench(PoolSettings())
        await bench.pool.start()
        first, second = bench.ask(), bench.ask()
        await settle()
        second.cancel()
        third = bench.ask()
        await settle()
        bench.made[0].asked[0].set_result(ScoringResponse(1))
        await settle()
        bench.made[0].asked[1].set_result(ScoringResponse(3))
        assert ((await first).number, (await third).number) == (1, 3)
        await bench.pool.stop()

    run_scenarios(scene)


def test_a_process_that_fails_its_liveness_probes_is_replaced() -> None:
    async def scene() -> None:
        bench = Bench(PoolSettings(pause_s=0.001, probe_period_s=0.001, probe_timeout_s=0.001, probe_failures=3))
        await bench.pool.start()
        bench.made[0].answers_ping = lambda number: False
        await bench.made[0].end
        assert bench.made[0].pings >= 3
        asked = bench.ask()
        await bench.sent(to=1)
        bench.made[1].asked[0].set_result(ScoringResponse(1))
        await asked
        assert "failed 3 liveness probes" in bench.said[0]
        await bench.pool.stop()

    run_scenarios(scene)


def test_one_sign_of_life_makes_the_count_of_missed_probes_begin_anew() -> None:
    async def scene() -> None:
        bench = Bench(PoolSettings(pause_s=0.001, probe_period_s=0.001, probe_timeout_s=0.001, probe_failures=2))
        await bench.pool.start()
        fake = bench.made[0]
        fake.answers_ping = lambda number: number % 2 == 0
        await eventually(lambda: fake.pings > 6)
        assert not fake.end.done()
        await bench.pool.stop()

    run_scenarios(scene)


def test_a_process_that_does_not_come_up_again_is_tried_after_ever_longer_pauses() -> None:
    async def scene() -> None:
        bench = Bench(PoolSettings(pause_s=0.01), comes_up=lambda number: number in (0, 3))
        await bench.pool.start()
        await bench.made[0].stop()
        await settle()
        asked = bench.ask()
        await bench.sent(to=3)
        bench.made[3].asked[0].set_result(ScoringResponse(1))
        await asked
        pauses = [line.rpartition(" in ")[2] for line in bench.said if line.endswith(" s.")]
        assert pauses == ["0.01 s.", "0.02 s.", "0.04 s."]
        assert "up again" in bench.said[-1]
        await bench.pool.stop()

    run_scenarios(scene)


def test_a_process_that_is_not_ready_in_time_fails_the_rollout() -> None:
    async def scene() -> None:
        bench = Bench(PoolSettings(start_s=0.01), gate=asyncio.Event())
        with pytest.raises(RolloutFailed, match="not ready after 0"):
            await bench.pool.start()
        assert bench.made[0].end.done()

    run_scenarios(scene)


@pytest.mark.parametrize(("steady_s", "expected"), [(60.0, ["0.01", "0.02", "0.04"]), (0.0, ["0.01", "0.01", "0.01"])])
def test_a_process_that_dies_soon_after_it_came_up_waits_longer_each_time_and_a_steady_one_does_not(
    steady_s: float, expected: list[str]
) -> None:
    async def scene() -> None:
        bench = Bench(PoolSettings(pause_s=0.01, steady_s=steady_s))
        await bench.pool.start()
        for number in range(3):
            await bench.made[number].stop()
            await eventually(partial(bench.has_said, "up again", times=number + 1))
        pauses = [line.split()[-2] for line in bench.said if line.endswith(" s.")]
        assert pauses == expected
        await bench.pool.stop()

    run_scenarios(scene)
