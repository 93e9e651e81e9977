import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.errors import BadRequest
from amlocal.core.http import Call

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
