import base64
from typing import Any
from urllib.parse import quote

import pytest
from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.pipeline.transport import HttpRequest
from azure.storage.blob import BlobServiceClient
from azure.storage.blob._shared.authentication import SharedKeyCredentialPolicy, _storage_header_sort
from hypothesis import given
from hypothesis import strategies as st

from amlocal.blobs import BlobStore
from amlocal.blobs.sas import sign
from amlocal.blobs.shared_key import _culture
from tests.unit.amlocal.blobs.wire import KEY, NAMES, ORIGIN, ManualClock, Wire

ROOT = "devstore.blob.core.windows.net"
METADATA = st.dictionaries(
    st.text(st.sampled_from("az_"), min_size=1, max_size=4),
    st.text(st.sampled_from("aZ9 !~="), max_size=3).map(str.strip),
)


def signed_by_the_sdk(
    method: str, target: str, headers: dict[str, str], *, account: str = ROOT, key: str = KEY
) -> dict[str, str]:
    """Return the headers with the Authorization that azure-storage-blob adds."""
    request = HttpRequest(
        method, f"{ORIGIN}{target}", headers={"x-ms-date": "Fri, 02 Jan 2026 03:04:05 GMT", **headers}
    )
    context: Any = PipelineContext(None)
    policy: Any = SharedKeyCredentialPolicy(account, key)  # type: ignore[no-untyped-call]  # the SDK has no types
    policy.on_request(PipelineRequest(request, context))
    return dict(request.headers)


def test_the_sdk_takes_the_first_segment_of_a_loopback_url_for_the_account() -> None:
    assert BlobServiceClient(f"{ORIGIN}/{ROOT}", credential=KEY).account_name == ROOT


@pytest.mark.parametrize("account", ["devstore", ROOT, "127.0.0.1:8443/devstore"])
def test_the_key_lets_in_under_every_spelling_of_the_account(wire: Wire, account: str) -> None:
    target = f"/{ROOT}/box?restype=container"
    assert wire.send("GET", target, headers=signed_by_the_sdk("GET", target, {}, account=account)).status == 200


def test_another_account_is_not_let_in(wire: Wire) -> None:
    target = f"/{ROOT}/box?restype=container"
    answer = wire.send("GET", target, headers=signed_by_the_sdk("GET", target, {}, account="other"))
    assert (answer.status, answer.code) == (403, "AuthenticationFailed")


def test_another_key_is_not_let_in(wire: Wire) -> None:
    target = f"/{ROOT}/box?restype=container"
    other = base64.b64encode(b"other").decode()
    assert wire.send("GET", target, headers=signed_by_the_sdk("GET", target, {}, key=other)).status == 403


@pytest.mark.parametrize("value", ["", "devstore", "devstore:", ":", "devstore:äöü"])
def test_a_credential_that_is_none_is_not_let_in(wire: Wire, value: str) -> None:
    answer = wire.ask("GET", "/box", "restype=container", headers={"Authorization": f"SharedKey {value}"})
    assert answer.code == "AuthenticationFailed"


@given(
    name=NAMES,
    content=st.binary(max_size=3),
    metadata=METADATA,
    query=st.dictionaries(
        st.sampled_from(["timeout", "other", "x"]), st.sampled_from(["1", "a b", "a+b", "ü&="]), max_size=2
    ),
)
def test_what_the_sdk_signs_is_let_in(
    shared: BlobStore, name: str, content: bytes, metadata: dict[str, str], query: dict[str, str]
) -> None:
    pairs = "&".join(f"{key}={quote(value, safe='')}" for key, value in query.items())
    target = f"/{ROOT}/box/{quote(name, safe='~/')}" + (f"?{pairs}" if pairs else "")
    headers = {
        "x-ms-blob-type": "BlockBlob",
        "x-ms-version": "2025-11-05",
        "Content-Length": str(len(content)),
        "Content-Type": "application/octet-stream",
        "If-None-Match": '"x"',
        **{f"x-ms-meta-{key}": value for key, value in metadata.items()},
    }
    signed = signed_by_the_sdk("PUT", target, headers)
    answer = Wire(shared, ManualClock()).send("PUT", target, body=content, headers=signed)
    assert answer.status == 201


def test_a_range_and_a_plain_date_are_signed_as_the_documentation_has_it(wire: Wire) -> None:
    wire.store.put_bytes("box", "a", b"abc")
    date = "Fri, 02 Jan 2026 03:04:05 GMT"
    text = f"GET\n\n\n\n\n\n{date}\n\n\n\n\nbytes=0-1\n/devstore/devstore/box/a"
    headers = {"Date": date, "Range": "bytes=0-1", "Authorization": f"SharedKey devstore:{sign(KEY, text)}"}
    assert wire.ask("GET", "/box/a", headers=headers).body == b"ab"


@given(st.sets(st.text(st.sampled_from("ab9_-"), min_size=1, max_size=4), max_size=6))
def test_headers_are_ordered_as_the_service_orders_them(endings: set[str]) -> None:
    names = {f"x-ms-{ending}" for ending in endings}
    theirs = [name for name, _ in _storage_header_sort([(name, "") for name in names])]
    if len({name.replace("-", "") for name in names}) == len(names):
        assert sorted(names, key=_culture) == theirs
