"""The bytes of all bodies together are bounded, and writes of one turn leave together."""

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.http import LARGE, ByteBudget, JoinedWrites, ServerBusy


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(coroutine)


def test_callers_get_room_in_the_order_in_which_they_came() -> None:
    async def body() -> None:
        budget, order = ByteBudget(10), list[int]()

        async def call(number: int, size: int) -> None:
            await budget.take(size)
            order.append(number)

        await budget.take(8)
        tasks = [asyncio.create_task(call(number, size)) for number, size in enumerate((9, 1, 1))]
        await asyncio.sleep(0)
        assert order == []  # the small ones do not overtake the large one
        budget.give(8)
        await asyncio.wait_for(asyncio.gather(*tasks[:2]), 10)
        assert (order, budget.free) == ([0, 1], 0)
        budget.give(9)
        await asyncio.wait_for(tasks[2], 10)
        assert order == [0, 1, 2]

    run(body())


def test_a_caller_that_waits_too_long_is_told_when_to_come_again() -> None:
    async def body() -> None:
        budget = ByteBudget(10, patience_s=0)
        await budget.take(8)
        with pytest.raises(ServerBusy) as refused:
            await budget.take(5)
        assert (refused.value.status, refused.value.retry_after_s) == (429, 1)
        await budget.take(2)
        assert budget.free == 0

    run(body())


def test_a_caller_that_goes_away_leaves_its_place_to_others() -> None:
    async def body() -> None:
        budget = ByteBudget(10)
        await budget.take(8)
        first, second = (asyncio.create_task(budget.take(size)) for size in (9, 2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait_for(second, 10)
        assert budget.free == 0
        budget.give(10)
        third = asyncio.create_task(budget.take(4))
        await third
        assert budget.free == 6

    run(body())


def test_room_that_comes_as_a_caller_gives_up_is_for_the_next() -> None:
    async def body() -> None:
        budget = ByteBudget(10)
        await budget.take(8)
        first = asyncio.create_task(budget.take(9))
        await asyncio.sleep(0)
        first.cancel()
        budget.give(8)  # before the caller that was cancelled has had its turn
        with pytest.raises(asyncio.CancelledError):
            await first
        await budget.take(10)
        assert budget.free == 0

    run(body())


class Wire:
    """The other transport: it keeps what it was given."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.sent.append(data)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def get_extra_info(self, name: str) -> str:
        return name


def joined(wire: Wire) -> JoinedWrites:
    return JoinedWrites(cast("asyncio.Transport", wire))


async def turn_over() -> None:
    await asyncio.sleep(0)


@given(st.lists(st.lists(st.binary(max_size=5), min_size=1, max_size=4), max_size=4))
def test_the_writes_of_each_turn_leave_as_one_at_its_end(turns: list[list[bytes]]) -> None:
    wire = Wire()

    async def scene() -> None:
        transport = joined(wire)
        for writes in turns:
            for data in writes:
                transport.write(data)
            await turn_over()

    asyncio.run(scene())
    assert wire.sent == [b"".join(writes) for writes in turns]


@given(st.lists(st.integers(0, LARGE + 1).map(bytes), min_size=1, max_size=4))
def test_no_more_than_a_little_ever_waits(writes: list[bytes]) -> None:
    wire = Wire()

    async def scene() -> None:
        transport, written = joined(wire), 0
        for data in writes:
            transport.write(data)
            written += len(data)
            assert written - sum(map(len, wire.sent)) <= LARGE

    asyncio.run(scene())


def test_closing_sends_what_waits_and_nothing_afterwards() -> None:
    wire = Wire()

    async def scene() -> None:
        transport = joined(wire)
        transport.write(b"last")
        transport.close()
        transport.write(b"too late")
        await turn_over()

    asyncio.run(scene())
    assert (wire.sent, wire.closed) == ([b"last"], True)


def test_all_else_is_asked_of_the_other_transport() -> None:
    assert joined(Wire()).get_extra_info("peername") == "peername"
