"""Shared access signatures and Shared Key: what is signed, and what a signature allows."""

import base64
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

import pytest
from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.pipeline.transport import HttpRequest
from azure.storage.blob import BlobServiceClient, generate_account_sas, generate_blob_sas, generate_container_sas
from azure.storage.blob._shared.authentication import SharedKeyCredentialPolicy, _storage_header_sort
from azure.storage.blob._shared_access_signature import BlobSharedAccessSignature
from hypothesis import given
from hypothesis import strategies as st

from amlocal.blobs import BlobStore, StorageAccess
from amlocal.blobs.signatures import VERSION, _culture, service_text, sign
from tests.unit.amlocal.blobs.wire import KEY, NAMES, ORIGIN, START, ManualClock, Wire, check_token

HOUR = START + timedelta(hours=1)


@pytest.fixture
def access() -> StorageAccess:
    return StorageAccess("devstore", KEY, ManualClock(), check_token)


def container_sas(*, account: str = "devstore", key: str = KEY, expiry: Any = HOUR, **fields: Any) -> str:
    """Return what the SDK signs for reading the container `box`."""
    return generate_container_sas(account, "box", key, permission="r", expiry=expiry, **fields)


def put_a(wire: Wire) -> None:
    wire.store.put_bytes("box", "a", b"abc")


def get_a(wire: Wire, sas: str) -> str | int:
    """Return the code of the refusal, or the status."""
    answer = wire.ask("GET", "/box/a", sas)
    return answer.code or answer.status


def changed(sas: str, **fields: str | None) -> str:
    return urlencode({key: value for key, value in (dict(parse_qsl(sas)) | fields).items() if value is not None})


@pytest.mark.parametrize("account", ["devstore", "devstore.blob.core.windows.net", "127.0.0.1:8443/devstore"])
@pytest.mark.parametrize("start", [None, START])
def test_what_the_sdk_signs_for_a_container_is_let_in(wire: Wire, account: str, start: datetime | None) -> None:
    put_a(wire)
    assert get_a(wire, container_sas(account=account, start=start)) == 200


@pytest.mark.parametrize("account", ["devstore", "127.0.0.1:8443/devstore"])
def test_what_the_sdk_signs_for_a_blob_is_let_in(wire: Wire, account: str) -> None:
    put_a(wire)
    sas = generate_blob_sas(
        account, "box", "a", account_key=KEY, permission="r", expiry=HOUR, ip="127.0.0.1", content_type="text/x"
    )
    assert get_a(wire, sas) == 200


@pytest.mark.parametrize("encryption_scope", [None, "scope"])
def test_what_the_sdk_signs_for_the_account_is_let_in(wire: Wire, encryption_scope: str | None) -> None:
    put_a(wire)
    sas = generate_account_sas("devstore", KEY, "sco", "r", HOUR, encryption_scope=encryption_scope)
    assert get_a(wire, sas) == 200


def test_ours_is_what_the_sdk_would_have_signed(access: StorageAccess) -> None:
    sdk = BlobSharedAccessSignature("devstore", KEY)
    sdk.x_ms_version = VERSION
    theirs = sdk.generate_container("box", "rcwl", HOUR, START)
    assert dict(parse_qsl(access.make_sas("box", "rcwl", HOUR, starts=START))) == dict(parse_qsl(theirs))


def test_a_signature_of_2020_has_no_encryption_scope(wire: Wire) -> None:
    put_a(wire)
    fields = {"sv": "2019-12-12", "sr": "c", "sp": "r", "se": "2026-01-03"}
    text = "r\n\n2026-01-03\n/blob/devstore/box\n\n\n\n2019-12-12\nc\n\n\n\n\n\n"
    assert service_text(fields, "/blob/devstore/box") == text
    assert get_a(wire, urlencode(fields | {"sig": sign(KEY, text)})) == 200


def test_every_field_is_one_that_the_sdk_takes_for_a_sas(access: StorageAccess) -> None:
    assert set(parse_qs(access.make_sas("box", "rl", HOUR, starts=START))) == {"sv", "sr", "sp", "st", "se", "sig"}


@given(
    field=st.sampled_from(["sp", "se", "st", "sr", "sv", "sip", "spr", "rsct", "ses", "sig"]),
    value=st.text(max_size=30) | st.sampled_from(["racwdl", "b", "c", "2030-01-01T00:00:00Z", "2024-01-01"]),
)
def test_a_changed_signature_never_lets_in(shared: BlobStore, field: str, value: str) -> None:
    wire = Wire(shared, ManualClock())
    put_a(wire)
    sas = wire.access.make_sas("box", "r", HOUR, starts=START)
    if dict(parse_qsl(sas)).get(field, "") != value:
        assert get_a(wire, changed(sas, **{field: value})) == "AuthenticationFailed"


def test_a_signature_under_another_key_does_not_let_in(wire: Wire) -> None:
    put_a(wire)
    assert get_a(wire, container_sas(key="b3RoZXI=")) == "AuthenticationFailed"


def test_a_signature_for_another_container_does_not_let_in(wire: Wire) -> None:
    put_a(wire)
    assert get_a(wire, wire.sas("other")) == "AuthenticationFailed"


def test_a_signature_for_another_blob_does_not_let_in(wire: Wire) -> None:
    put_a(wire)
    link = urlsplit(wire.access.sign_url(ORIGIN, "box", "b", HOUR))
    assert get_a(wire, link.query) == "AuthenticationFailed"


def test_an_expired_signature_says_when_and_what_to_do(wire: Wire) -> None:
    sas = wire.sas()
    wire.clock.advance(hours=1)
    answer = wire.ask("GET", "/box/a", sas)
    assert (answer.status, answer.code) == (403, "AuthenticationFailed")
    assert "expired at 2026-01-02T04:04:05Z, now it is 2026-01-02T04:04:05Z" in answer.message


def test_a_signature_does_not_let_in_before_its_start(wire: Wire) -> None:
    sas = wire.access.make_sas("box", "r", HOUR, starts=START + timedelta(minutes=5))
    assert "valid from 2026-01-02T03:09:05Z on" in wire.ask("GET", "/box/a", sas).message


@pytest.mark.parametrize("expiry", ["", "soon", "2026-13-01"])
def test_a_signature_without_an_end_does_not_let_in(wire: Wire, expiry: str) -> None:
    put_a(wire)
    fields = {"sv": VERSION, "sr": "c", "sp": "r", "se": expiry}
    sas = urlencode(fields | {"sig": sign(KEY, service_text(fields, "/blob/devstore/box"))})
    assert get_a(wire, sas) == "AuthenticationFailed"


@pytest.mark.parametrize("expiry", ["2026-01-03", "2026-01-02T05:00Z", "2026-01-02T05:00:00.1234567Z"])
def test_the_end_may_be_written_in_any_of_azures_ways(wire: Wire, expiry: str) -> None:
    put_a(wire)
    assert get_a(wire, container_sas(expiry=expiry)) == 200


@pytest.mark.parametrize("field", ["skoid", "si", "sdd"])
def test_kinds_of_signature_that_are_not_here_are_named(wire: Wire, field: str) -> None:
    assert f"({field})" in wire.ask("GET", "/box/a", wire.sas() + f"&{field}=x").message


def test_a_signature_older_than_we_can_check_is_named(wire: Wire) -> None:
    assert "from version 2018-11-09 on" in wire.ask("GET", "/box/a", changed(wire.sas(), sv="2015-04-05")).message


def test_a_signature_for_https_is_not_taken_over_http(wire: Wire) -> None:
    put_a(wire)
    sas = container_sas(protocol="https")
    assert get_a(wire, sas) == 200
    plain = wire.send("GET", f"/devstore/box/a?{sas}", origin="http://127.0.0.1:8443")
    assert (plain.status, plain.code) == (403, "AuthorizationProtocolMismatch")


@pytest.mark.parametrize(
    ("method", "name", "query", "needed"),
    [
        ("GET", "a", "", "r"),
        ("HEAD", "a", "", "r"),
        ("PUT", "a", "", "w"),
        ("PUT", "new", "", "wc"),
        ("PUT", "new", "comp=block&blockid=MQ==", "wc"),
        ("PUT", "new", "comp=blocklist", "wc"),
        ("PUT", "a", "comp=metadata", "w"),
        ("DELETE", "a", "", "d"),
        ("GET", "", "restype=container&comp=list", "l"),
        ("GET", "", "restype=container", ""),
        ("PUT", "", "restype=container", ""),
    ],
)
@pytest.mark.parametrize("granted", "racwdl")
def test_a_container_signature_allows_what_it_grants(
    wire: Wire, method: str, name: str, query: str, needed: str, granted: str
) -> None:
    put_a(wire)
    body, headers = b"<BlockList/>" if "blocklist" in query else b"x", {"x-ms-blob-type": "BlockBlob"}
    answer = wire.signed(method, name, query, body=body, headers=headers, permissions=granted)
    refused = (answer.status, answer.code) == (403, "AuthorizationPermissionMismatch")
    assert refused == (granted not in needed)
    assert refused or answer.status < 300


def test_a_blob_signature_does_not_list_the_container(wire: Wire) -> None:
    sas = generate_blob_sas("devstore", "box", "a", account_key=KEY, permission="rl", expiry=HOUR)
    answer = wire.ask("GET", "/box", f"restype=container&comp=list&{sas}")
    assert answer.code == "AuthenticationFailed"


@pytest.mark.parametrize("target", ["/box/a", "/box"])
def test_a_signature_of_an_unknown_kind_of_resource_grants_nothing(wire: Wire, target: str) -> None:
    put_a(wire)
    fields = {"sv": "2023-11-03", "sr": "d", "sp": "rl", "se": "2026-01-03"}
    sas = urlencode(fields | {"sig": sign(KEY, service_text(fields, "/blob/devstore/box"))})
    assert wire.ask("GET", target, f"restype=container&comp=list&{sas}" if target == "/box" else sas).status == 403


@pytest.mark.parametrize(
    ("types", "services", "target", "allowed"),
    [
        ("o", "b", "/box/a", True),
        ("c", "b", "/box/a", False),
        ("o", "f", "/box/a", False),
        ("c", "b", "/box?restype=container&comp=list", True),
        ("o", "b", "/box?restype=container&comp=list", False),
    ],
)
def test_an_account_signature_allows_its_services_and_types(
    wire: Wire, types: str, services: str, target: str, allowed: bool
) -> None:
    put_a(wire)
    sas = generate_account_sas("devstore", KEY, types, "rl", HOUR, services=services)
    path, _, query = target.partition("?")
    assert (wire.ask("GET", path, f"{query}&{sas}" if query else sas).status == 200) == allowed


def test_an_account_signature_can_make_a_container(wire: Wire) -> None:
    sas = generate_account_sas("devstore", KEY, "c", "c", HOUR)
    assert wire.ask("PUT", "/new-one", f"restype=container&{sas}").status == 201


@given(NAMES)
def test_a_signed_link_reads_its_blob(shared: BlobStore, name: str) -> None:
    wire = Wire(shared, ManualClock())
    shared.put_bytes("box", name, name.encode())
    link = urlsplit(wire.access.sign_url(ORIGIN, "box", name, HOUR))
    answer = wire.send("GET", f"{link.path}?{link.query}")
    assert (answer.status, answer.body) == (200, name.encode())


def test_a_signed_link_is_for_reading_only(wire: Wire) -> None:
    put_a(wire)
    link = urlsplit(wire.access.sign_url(ORIGIN, "box", "a", HOUR))
    assert wire.send("DELETE", f"{link.path}?{link.query}").status == 403


def test_links_quote_what_a_path_cannot_hold(access: StorageAccess) -> None:
    link = access.sign_url(ORIGIN, "box", "a b/#?%.txt", HOUR)
    assert link.startswith(f"{ORIGIN}/devstore/box/{quote('a b/#?%.txt')}?sv=")


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
