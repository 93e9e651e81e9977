"""Calls, replies, and which handler answers a path."""

import json
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.errors import BadRequest
from amlocal.core.http import Call, Reply, Route, Router

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
