"""Which headers pass between callers and scripts."""

from hypothesis import given
from hypothesis import strategies as st

from amlocal.online.headers import from_script, to_script

NAMES = st.from_regex(r"[a-z][a-z-]{0,15}", fullmatch=True)
HOP = ["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length"]
OWN = ["azureml-model-deployment", "ms-azureml-model-error-statuscode", "x-ms-run-function-failed", "x-ms-request-id",
       "x-request-id"]  # fmt: skip


@given(st.dictionaries(NAMES.map("x-a-".__add__), st.text(max_size=9)))
def test_a_callers_own_headers_pass_both_ways(headers: dict[str, str]) -> None:
    assert to_script(headers) == headers
    assert from_script((name.title(), value) for name, value in headers.items()) == headers


def test_a_connections_headers_pass_neither_way() -> None:
    assert to_script(dict.fromkeys(HOP, "x")) == {}
    assert from_script((name.title(), "x") for name in HOP) == {}


def test_a_script_learns_no_key() -> None:
    assert to_script({"authorization": "Bearer key", "x-tenant": "a"}) == {"x-tenant": "a"}


def test_a_script_does_not_speak_for_azure() -> None:
    assert from_script((name, "x") for name in [*OWN, *(name.upper() for name in OWN)]) == {}


def test_headers_of_one_name_are_joined() -> None:
    assert from_script([("Vary", "a"), ("vary", "b")]) == {"vary": "a, b"}
