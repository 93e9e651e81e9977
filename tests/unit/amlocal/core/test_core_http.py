"""Calls, replies, and which handler answers a path."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from typing import Any, cast
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.errors import BadRequest
from amlocal.core.http import LARGE, ByteBudget, Call, JoinedWrites, Reply, Route, Router, ServerBusy

OBJECTS = st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text())


async def nothing() -> AsyncIterator[bytes]:
    yield b""


def call(content: bytes) -> Call:
    return Call("PUT", "/", "https://x/", {}, {}, {}, nothing, content)


@given(OBJECTS)
def test_an_object_is_read(body: dict[str, object]) -> None:
    assert call(json.dumps(body).encode()).object() == body


@given(OBJECTS)
def test_properties_are_the_object_below_that_key(properties: dict[str, object]) -> None:
    assert call(json.dumps({"properties": properties}).encode()).properties() == properties


@pytest.mark.parametrize("body", [b"{}", b'{"properties": null}'])
def test_no_properties_are_an_empty_object(body: bytes) -> None:
    assert call(body).properties() == {}


def test_no_body_is_none() -> None:
    assert call(b"").json() is None


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b"\x00", b'{"a": 1} tail', b'{"a": NaN}', b"-Infinity", b"[" * 100_000]
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest, match="not JSON"):
        call(body).json()


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b'"text"', b"null"])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest, match="must be a JSON object"):
        call(body).object()


@pytest.mark.parametrize("properties", ["[]", "7", '"text"', "true"])
def test_properties_that_are_no_object_are_refused(properties: str) -> None:
    with pytest.raises(BadRequest, match="'properties' must be an object"):
        call(f'{{"properties": {properties}}}'.encode()).properties()


NAMES = st.text(st.characters(codec="utf-8"), min_size=1)


def route(method: str, path: str) -> Route:
    return Route(method, path, lambda _: Reply())


ROUTER = Router([
    route("GET", "/a/{name}/versions/{version}"),
    route("PUT", "/a/{name}/versions/{version}"),
    route("GET", "/a/fixed"),
    route("GET", "/a/{name}"),
    route("GET", "/blob/{container}/{blob:path}"),
])  # fmt: skip


@given(NAMES, NAMES)
def test_any_name_comes_back_from_percent_encoding(name: str, version: str) -> None:
    match = ROUTER.find("GET", f"/a/{quote(name, safe='')}/versions/{quote(version, safe='')}")
    assert match
    assert match.path == {"name": name, "version": version}


@given(NAMES, NAMES)
def test_a_path_variable_keeps_its_slashes(container: str, blob: str) -> None:
    match = ROUTER.find("GET", f"/blob/{quote(container, safe='')}/{quote(blob)}")
    assert match
    assert match.path["blob"] == blob.removesuffix("/") or match.path["blob"] == blob


def test_a_segment_does_not_run_over_a_slash() -> None:
    assert ROUTER.find("GET", "/a/one/two") is None


@pytest.mark.parametrize("path", ["/A/x/Versions/1", "/a/x/VERSIONS/1", "/a/x/versions/1/"])
def test_fixed_parts_match_in_any_case_and_with_a_final_slash(path: str) -> None:
    match = ROUTER.find("GET", path)
    assert match
    assert match.path == {"name": "x", "version": "1"}


def test_a_variable_keeps_its_case() -> None:
    match = ROUTER.find("GET", "/a/MixedCase")
    assert match
    assert match.path == {"name": "MixedCase"}


def test_the_earlier_of_two_routes_wins() -> None:
    match = ROUTER.find("GET", "/a/fixed")
    assert match
    assert match.route.path == "/a/fixed"


def test_the_dots_of_a_path_are_no_pattern() -> None:
    assert Router([route("GET", "/history/v1.0/x")]).find("GET", "/history/v1x0/x") is None


def test_another_method_does_not_match() -> None:
    assert ROUTER.find("DELETE", "/a/x") is None


def test_the_methods_of_a_path_are_known() -> None:
    assert ROUTER.methods("/a/x/versions/1") == ["GET", "PUT"]
    assert ROUTER.methods("/elsewhere") == []


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
