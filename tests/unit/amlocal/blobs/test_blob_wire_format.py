import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.blobs import BlobStore
from tests.unit.amlocal.blobs.wire import NAMES, ManualClock, Wire, block_list, content

ABC_MD5 = "kAFQmDzST7DWlj99KOF/cg=="
LAST_MODIFIED = "Fri, 02 Jan 2026 03:04:05 GMT"


def etag(wire: Wire, name: str) -> str:
    return f'"{wire.store.require("box", name).etag}"'


def test_a_blob_is_put_and_read(wire: Wire) -> None:
    put = wire.put("a", [b"a", b"bc"], {"x-ms-blob-content-type": "text/plain", "x-ms-meta-key": "value"})
    assert (put.status, put.headers["Last-Modified"], put.headers["ETag"]) == (201, LAST_MODIFIED, etag(wire, "a"))
    read = wire.signed("GET", "a")
    assert (read.status, read.body) == (200, b"abc")
    assert (
        dict(read.headers).items()
        >= {
            "Content-Length": "3",
            "Content-Type": "text/plain",
            "Content-MD5": ABC_MD5,
            "ETag": etag(wire, "a"),
            "Last-Modified": LAST_MODIFIED,
            "x-ms-creation-time": LAST_MODIFIED,
            "Accept-Ranges": "bytes",
            "x-ms-blob-type": "BlockBlob",
            "x-ms-lease-state": "available",
            "x-ms-lease-status": "unlocked",
            "x-ms-server-encrypted": "true",
            "x-ms-meta-key": "value",
        }.items()
    )


def test_head_says_what_get_says_without_the_bytes(wire: Wire) -> None:
    wire.put("a", b"abc")
    get, head = wire.signed("GET", "a"), wire.signed("HEAD", "a")
    own = "x-ms-request-id"
    assert {**head.headers, own: ""} == {**get.headers, own: ""}
    assert head.body == b""


def test_the_type_of_the_body_is_the_blobs_when_no_other_is_stated(wire: Wire) -> None:
    wire.put("a", b"", {"Content-Type": "text/csv"})
    assert wire.store.require("box", "a").content_type == "text/csv"


@given(name=NAMES)
def test_any_name_goes_through_the_url(shared: BlobStore, name: str) -> None:
    wire = Wire(shared, ManualClock())
    assert wire.put(name, name.encode()).status == 201
    assert wire.signed("GET", name).body == name.encode()


@pytest.mark.parametrize("path", ["/box/a%2fb%2Bc%20d", "/box/%61/b+c%20d"])
def test_a_name_is_decoded_once_with_plus_as_plus(wire: Wire, path: str) -> None:
    wire.put("a/b+c d", b"abc")
    assert wire.ask("GET", path, wire.sas()).body == b"abc"


def test_the_other_root_of_the_account_is_served_too(wire: Wire) -> None:
    wire.put("a", b"abc")
    assert wire.send("GET", f"/devstore.blob.core.windows.net/box/a?{wire.sas()}").body == b"abc"


@given(
    size=st.integers(0, 12),
    start=st.integers(0, 14),
    length=st.integers(1, 14),
    header=st.sampled_from(["Range", "x-ms-range"]),
)
def test_a_range_is_a_slice(shared: BlobStore, size: int, start: int, length: int, header: str) -> None:
    wire, whole = Wire(shared, ManualClock()), bytes(range(size))
    wire.put("r", whole)
    answer = wire.signed("GET", "r", headers={header: f"bytes={start}-{start + length - 1}"})
    if start >= size:
        assert (answer.status, answer.code) == (416, "InvalidRange")
        assert answer.headers["Content-Range"] == f"bytes */{size}"
    else:
        part = whole[start : start + length]
        assert (answer.status, answer.body, answer.headers["Content-Length"]) == (206, part, str(len(part)))
        assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(part) - 1}/{size}"


def test_a_range_gives_the_md5_of_the_whole_apart(wire: Wire) -> None:
    wire.put("a", b"abc")
    answer = wire.signed("GET", "a", headers={"x-ms-range": "bytes=0-0"})
    assert (answer.headers["x-ms-blob-content-md5"], "Content-MD5" in answer.headers) == (ABC_MD5, False)


def test_a_range_comes_with_its_own_md5_when_asked_for(wire: Wire) -> None:
    wire.put("a", b"xabcx")
    asked = {"x-ms-range": "bytes=1-3", "x-ms-range-get-content-md5": "true"}
    assert wire.signed("GET", "a", headers=asked).headers["Content-MD5"] == ABC_MD5


def test_the_md5_of_a_long_range_is_refused(wire: Wire) -> None:
    wire.put("a", bytes(4 * 2**20 + 1))
    asked = {"x-ms-range": "bytes=0-", "x-ms-range-get-content-md5": "true"}
    assert wire.signed("GET", "a", headers=asked).code == "OutOfRangeInput"


def test_a_long_blob_is_streamed(wire: Wire) -> None:
    whole = hashlib.sha256(b"seed").digest() * 100_000
    wire.put("a", whole)
    assert wire.signed("GET", "a").body == whole


def test_blocks_are_committed_in_the_order_of_the_list(wire: Wire) -> None:
    for block, body in (("MQ==", b"one"), ("Mg==", b"two")):
        assert wire.signed("PUT", "a", f"comp=block&blockid={quote(block)}", body=body).status == 201
    answer = wire.signed(
        "PUT",
        "a",
        "comp=blocklist",
        body=block_list(("Latest", "Mg=="), ("Uncommitted", "MQ==")),
        headers={"Content-Type": "application/xml", "x-ms-blob-content-type": "text/plain", "x-ms-meta-key": "value"},
    )
    blob = wire.store.require("box", "a")
    assert (answer.status, answer.headers["ETag"], content(wire, "a")) == (201, etag(wire, "a"), b"twoone")
    assert (blob.content_type, blob.metadata, blob.content_md5) == ("text/plain", {"key": "value"}, None)


def test_the_type_of_a_block_list_is_not_the_blobs(wire: Wire) -> None:
    wire.signed("PUT", "a", "comp=blocklist", body=block_list(), headers={"Content-Type": "application/xml"})
    assert wire.store.require("box", "a").content_type == "application/octet-stream"


def test_an_unknown_block_is_refused(wire: Wire) -> None:
    answer = wire.signed("PUT", "a", "comp=blocklist", body=block_list(("Latest", "MQ==")))
    assert (answer.status, answer.code, wire.store.get("box", "a")) == (400, "InvalidBlockList", None)


@pytest.mark.parametrize("block", ["", "not base64!", base64.b64encode(bytes(65)).decode()])
def test_a_block_id_is_short_base64(wire: Wire, block: str) -> None:
    answer = wire.signed("PUT", "a", f"comp=block&blockid={quote(block, safe='')}", body=b"one")
    assert (answer.status, answer.code) == (400, "InvalidQueryParameterValue")


@pytest.mark.parametrize("query", ["", "comp=block&blockid=MQ=="])
def test_a_wrong_md5_keeps_nothing(wire: Wire, query: str, tmp_path: Path) -> None:
    headers = {"x-ms-blob-type": "BlockBlob", "Content-MD5": ABC_MD5}
    answer = wire.signed("PUT", "a", query, body=b"abd", headers=headers)
    assert (answer.status, answer.code) == (400, "Md5Mismatch")
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("query", ["", "comp=block&blockid=MQ=="])
def test_a_right_md5_is_repeated(wire: Wire, query: str) -> None:
    headers = {"x-ms-blob-type": "BlockBlob", "Content-MD5": ABC_MD5}
    answer = wire.signed("PUT", "a", query, body=b"abc", headers=headers)
    assert (answer.status, answer.headers["Content-MD5"]) == (201, ABC_MD5)


def test_the_md5_that_a_client_keeps_with_the_blob_is_kept(wire: Wire) -> None:
    wire.signed("PUT", "a", "comp=blocklist", body=block_list(), headers={"x-ms-blob-content-md5": ABC_MD5})
    assert wire.signed("HEAD", "a").headers["Content-MD5"] == ABC_MD5


@pytest.mark.parametrize("query", ["", "comp=blocklist"])
def test_a_blob_that_must_be_new_is_not_replaced(wire: Wire, query: str) -> None:
    wire.put("a", b"old")
    headers = {"x-ms-blob-type": "BlockBlob", "If-None-Match": "*"}
    answer = wire.signed("PUT", "a", query, body=block_list(), headers=headers)
    assert (answer.status, answer.code, content(wire, "a")) == (409, "BlobAlreadyExists", b"old")


def test_a_blob_is_replaced_as_long_as_it_is_the_one_that_was_read(wire: Wire) -> None:
    wire.put("a", b"1")
    first = etag(wire, "a")
    assert wire.put("a", b"2", {"If-Match": first}).status == 201
    late = wire.put("a", b"3", {"If-Match": first})
    assert (late.status, late.code, content(wire, "a")) == (412, "ConditionNotMet", b"2")


def test_of_two_writers_that_must_be_first_the_first_wins(wire: Wire) -> None:
    def body() -> Iterator[bytes]:
        wire.store.put_bytes("box", "a", b"other")
        yield b"mine"

    answer = wire.put("a", body(), {"If-None-Match": "*", "Content-Length": "4"})
    assert (answer.status, answer.code, content(wire, "a")) == (409, "BlobAlreadyExists", b"other")


def test_a_writer_that_may_only_create_does_not_replace_what_came_meanwhile(wire: Wire) -> None:
    def body() -> Iterator[bytes]:
        wire.store.put_bytes("box", "a", b"other")
        yield b"mine"

    headers = {"x-ms-blob-type": "BlockBlob", "Content-Length": "4"}
    answer = wire.signed("PUT", "a", body=body(), headers=headers, permissions="c")
    assert (answer.status, answer.code, content(wire, "a")) == (403, "AuthorizationPermissionMismatch", b"other")


def test_a_read_of_what_the_client_has_is_304_without_a_body(wire: Wire) -> None:
    wire.put("a", b"abc")
    answer = wire.signed("GET", "a", headers={"If-None-Match": etag(wire, "a")})
    assert (answer.status, answer.code, answer.body) == (304, "ConditionNotMet", b"")


def test_metadata_is_replaced(wire: Wire) -> None:
    wire.put("a", b"abc", {"x-ms-meta-old": "1"})
    answer = wire.signed("PUT", "a", "comp=metadata", headers={"x-ms-meta-new": "2"})
    shown = wire.signed("HEAD", "a").headers
    assert (answer.status, answer.headers["ETag"]) == (200, shown["ETag"])
    assert {key: value for key, value in shown.items() if key.startswith("x-ms-meta-")} == {"x-ms-meta-new": "2"}


def test_metadata_with_a_hyphen_is_refused(wire: Wire) -> None:
    assert wire.put("a", b"", {"x-ms-meta-a-b": "1"}).code == "InvalidMetadata"


def test_a_blob_is_deleted_once(wire: Wire) -> None:
    wire.put("a", b"abc")
    assert wire.signed("DELETE", "a").status == 202
    again = wire.signed("DELETE", "a")
    assert (again.status, again.code) == (404, "BlobNotFound")


def test_a_container_is_made_shown_and_not_made_again(wire: Wire) -> None:
    bearer = {"Authorization": "Bearer good"}
    made, shown, again = (
        wire.ask(method, "/new-one", "restype=container", headers=bearer) for method in ("PUT", "HEAD", "PUT")
    )
    assert (made.status, shown.status, again.status) == (201, 200, 409)
    assert (made.headers["ETag"], again.code) == (shown.headers["ETag"], "ContainerAlreadyExists")


def test_the_properties_of_no_container_are_404(wire: Wire) -> None:
    answer = wire.ask("GET", "/nowhere", "restype=container", headers={"Authorization": "Bearer good"})
    assert answer.code == "ContainerNotFound"


def test_a_container_is_listed_page_by_page(wire: Wire) -> None:
    for name in ("a/1", "a/2", "b", "c"):
        wire.put(name, b"", {"x-ms-meta-key": "value"})
    query = "restype=container&comp=list&maxresults=2&delimiter=/&include=metadata"
    first = wire.signed("GET", "", query)
    assert first.headers["Content-Type"] == "application/xml"
    marker = first.xml.findtext("NextMarker", "")
    second = wire.signed("GET", "", f"{query}&marker={quote(marker, safe='')}")
    names = [[element.text for element in answer.xml.findall("Blobs/*/Name")] for answer in (first, second)]
    assert names == [["a/", "b"], ["c"]]
    assert first.xml.findtext("Blobs/Blob/Metadata/key") == "value"
    assert first.xml.get("ServiceEndpoint") == "https://127.0.0.1:8443/devstore"


@pytest.mark.parametrize("limit", ["0", "-1", "many", "99999999999", ""])
def test_a_page_has_one_entry_at_least(wire: Wire, limit: str) -> None:
    answer = wire.signed("GET", "", f"restype=container&comp=list&maxresults={limit}")
    assert (answer.status, answer.code) == (400, "OutOfRangeQueryParameterValue")


def test_a_page_has_5000_entries_at_most(wire: Wire) -> None:
    assert wire.signed("GET", "", "restype=container&comp=list&maxresults=9999").xml.findtext("MaxResults") == "5000"


def test_an_answer_repeats_what_the_client_goes_by(wire: Wire) -> None:
    sent = {"x-ms-client-request-id": "mine", "x-ms-version": "2021-08-06"}
    headers = wire.signed("GET", "a", headers=sent).headers
    assert headers.items() >= sent.items()


def test_an_empty_blob_is_read_and_listed(wire: Wire) -> None:
    wire.put("empty", b"")
    listing = ET.fromstring(wire.signed("GET", "", "restype=container&comp=list").body)
    assert (wire.signed("GET", "empty").status, listing.findtext("Blobs/Blob/Properties/Content-Length")) == (200, "0")
