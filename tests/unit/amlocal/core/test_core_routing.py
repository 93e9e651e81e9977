from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.core.http import Reply, Route
from amlocal.core.routing import Router

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
