import errno
import hashlib
import shutil
from io import FileIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from amlocal.blobs import DamagedStore, chunks
from tests.unit.amlocal.blobs.wire import KEY, Wire, block_list, content


@pytest.mark.parametrize("path", ["/box/a/../b", "/box/a/%2e%2E/b", "/box/..%5Cb", "/box/.."])
def test_a_name_with_dots_is_one_clear_refusal(wire: Wire, path: str) -> None:
    answer = wire.ask("PUT", path, wire.sas(), headers={"x-ms-blob-type": "BlockBlob"})
    assert (answer.status, answer.code) == (400, "InvalidUri")
    assert "'.' and '..' segments are refused" in answer.message


def test_a_name_that_is_not_utf8_is_refused(wire: Wire) -> None:
    assert wire.ask("GET", "/box/%ff", wire.sas()).code == "InvalidUri"


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_no_blob_is_404(wire: Wire, method: str) -> None:
    answer = wire.signed(method, "a")
    assert (answer.status, answer.code, bool(answer.body)) == (404, "BlobNotFound", method != "HEAD")


@pytest.mark.parametrize("query", ["", "comp=block&blockid=MQ==", "comp=blocklist", "comp=metadata"])
def test_no_container_is_404(wire: Wire, query: str) -> None:
    sas = wire.sas("nowhere")
    headers = {"x-ms-blob-type": "BlockBlob"}
    answer = wire.ask("PUT", "/nowhere/a", f"{query}&{sas}", body=block_list(), headers=headers)
    assert (answer.status, answer.code) == (404, "ContainerNotFound")


@pytest.mark.parametrize(
    ("method", "path", "query", "named"),
    [
        ("GET", "/box/a", "comp=tags", "GET /devstore/box/a (comp=tags)"),
        ("POST", "/box/a", "", "POST /devstore/box/a (no comp)"),
        ("GET", "/box/a", "snapshot=2024", "snapshot=2024"),
        ("GET", "/box/a", "versionid=1", "versionid=1"),
        ("PUT", "/box", "restype=container&comp=acl", "restype=container, comp=acl"),
        ("DELETE", "/box", "restype=container", "DELETE /devstore/box (restype=container)"),
        ("GET", "", "comp=list", "GET /devstore (comp=list)"),
        ("GET", "/", "restype=container&comp=list", "GET /devstore/ "),
    ],
)
def test_what_is_not_served_is_named(wire: Wire, method: str, path: str, query: str, named: str) -> None:
    answer = wire.ask(method, path, query, headers={"Authorization": "Bearer good"})
    assert (answer.status, answer.code) == (501, "NotImplemented")
    assert named in answer.message


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"x-ms-blob-type": "AppendBlob"}, 501),
        ({"x-ms-blob-type": "BlockBlob", "x-ms-copy-source": "https://x"}, 501),
        ({"x-ms-blob-type": "BlockBlob", "Content-Length": ""}, 411),
        ({"x-ms-blob-type": "BlockBlob", "Content-Length": str(10**12)}, 413),
    ],
)
def test_a_put_that_cannot_be_carried_out_is_refused(wire: Wire, headers: dict[str, str], status: int) -> None:
    assert wire.signed("PUT", "a", headers=headers).status == status


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", "NoAuthenticationInformation"),
        ("Basic eDp5", "NoAuthenticationInformation"),
        ("Bearer bad", "InvalidAuthenticationInfo"),
    ],
)
def test_who_brings_no_credential_is_401(wire: Wire, authorization: str, code: str) -> None:
    answer = wire.ask("GET", "/box/a", headers={"Authorization": authorization})
    assert (answer.status, answer.code) == (401, code)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_token_lets_in(wire: Wire) -> None:
    wire.put("a", b"abc")
    assert wire.ask("GET", "/box/a", headers={"Authorization": "bearer good"}).body == b"abc"


def test_a_refusal_names_its_request(wire: Wire) -> None:
    answer = wire.signed("GET", "a")
    assert answer.headers["Content-Type"] == "application/xml"
    assert f"RequestId:{answer.headers['x-ms-request-id']}\nTime:2026-01-02T03:04:05.25" in answer.message


def test_the_body_of_a_refused_request_is_read_to_its_end(wire: Wire) -> None:
    pieces = iter([b"a", b"b", b"c"])
    assert wire.ask("PUT", "/box/a", body=pieces, headers={"Content-Length": "3"}).status == 401
    assert list(pieces) == []


def test_a_full_disk_is_reported_once_and_keeps_what_was_there(wire: Wire, tmp_path: Path) -> None:
    class Full(FileIO):
        def write(self, _: Any) -> int:
            raise OSError(errno.ENOSPC, "full")

    wire.put("a", b"old")
    with patch.object(chunks, "FileIO", Full):
        answer = wire.put("a", b"new")
    assert (answer.status, answer.code, content(wire, "a")) == (413, "InsufficientStorage", b"old")
    assert "No space left" in answer.message
    assert list((tmp_path / "blobs" / "incoming").iterdir()) == []


def test_a_damaged_store_is_found_before_anything_is_answered(wire: Wire, tmp_path: Path) -> None:
    wire.put("a", b"abc")
    digest = hashlib.sha256(b"abc").hexdigest()
    shutil.rmtree(tmp_path / "blobs" / digest[:2])
    with pytest.raises(DamagedStore):
        wire.signed("GET", "a")


def test_keys_stay_out_of_answers(wire: Wire) -> None:
    assert KEY.encode() not in wire.ask("GET", "/box/a", headers={"Authorization": f"SharedKey devstore:{KEY}"}).body
