"""Who gets in, and how a browser stays in."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from amlocal.core.errors import ApiError, Unauthorized
from amlocal.core.http import Call
from amlocal.tracking.session import browser_link, check_browser, check_program, start_session

HOST = "127.0.0.1:8443"
MakeCall = Callable[..., Call]


def check(token: str) -> None:
    if token != "good":
        raise Unauthorized("not this one")


def cookie(host: str, token: str = "good") -> str:
    return start_session(token, host).headers["Set-Cookie"].partition(";")[0]


def test_a_link_carries_token_and_page() -> None:
    link = urlsplit(browser_link(f"https://{HOST}", "a+b/c=", "/experiments/1"))
    assert (link.netloc, link.path, parse_qs(link.query), link.fragment) == (
        HOST,
        "/mlflow/",
        {"token": ["a+b/c="]},
        "/experiments/1",
    )


def test_a_link_without_page_ends_with_the_token() -> None:
    assert browser_link("https://h", "t") == "https://h/mlflow/?token=t"


def test_the_cookie_is_for_these_pages_alone() -> None:
    traits = start_session("good", HOST).headers["Set-Cookie"].split("; ")[1:]
    assert traits == ["Path=/mlflow", "HttpOnly", "Secure", "SameSite=Strict"]


def test_a_program_with_the_token_gets_in(make_call: MakeCall) -> None:
    check_program(make_call("GET", "/", headers={"authorization": "Bearer good"}), check)


@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic good"}, {"authorization": "Bearer bad"}])
def test_a_program_without_the_token_does_not(make_call: MakeCall, headers: dict[str, str]) -> None:
    with pytest.raises(Unauthorized):
        check_program(make_call("GET", "/", headers=headers), check)


def test_a_programs_cookie_counts_for_nothing(make_call: MakeCall) -> None:
    with pytest.raises(Unauthorized, match="MLFLOW_TRACKING_TOKEN"):
        check_program(make_call("GET", "/", headers={"host": HOST, "cookie": cookie(HOST)}), check)


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "bearer good"},
        {"host": HOST, "cookie": cookie(HOST)},
        {"host": HOST, "cookie": f"a/b=1; [; =; {cookie(HOST)}", "origin": f"https://{HOST}"},
    ],
)
def test_a_visitor_with_header_or_cookie_gets_in(make_call: MakeCall, headers: dict[str, str]) -> None:
    check_browser(make_call("POST", "/", headers=headers), check)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": HOST},
        {"host": HOST, "cookie": "\x00broken;;=="},
        {"host": HOST, "cookie": "a[b]=1; c"},
        {"host": HOST, "cookie": cookie("127.0.0.1:9000")},  # of a neighbouring workspace
        {"host": HOST, "cookie": cookie(HOST, "expired")},
    ],
)
def test_a_visitor_without_a_good_cookie_does_not(make_call: MakeCall, headers: dict[str, str]) -> None:
    with pytest.raises(Unauthorized):
        check_browser(make_call("GET", "/", headers=headers), check)


@pytest.mark.parametrize("origin", ["http://[::1", "https://[", "null", "//", "https://]x[", "http://\u2100"])
def test_what_is_no_origin_is_another_origin(make_call: MakeCall, origin: str) -> None:
    call = make_call("POST", "/mlflow/graphql", headers={"host": "127.0.0.1:8443", "origin": origin})
    with pytest.raises(ApiError) as refused:
        check_browser(call, check)
    assert refused.value.status == 403


def test_a_page_of_another_origin_cannot_use_the_cookie(make_call: MakeCall) -> None:
    headers = {"host": HOST, "cookie": cookie(HOST), "origin": "http://127.0.0.1:8888"}
    with pytest.raises(ApiError, match=r"http://127\.0\.0\.1:8888") as caught:
        check_browser(make_call("POST", "/", headers=headers), check)
    assert caught.value.status == 403
