import asyncio
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.writes import LARGE, JoinedWrites


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
