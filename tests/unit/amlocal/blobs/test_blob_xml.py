from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.blobs import Blob, StorageError
from amlocal.blobs.blocks import BlockListEntry, BlockSource, read_block_list
from amlocal.blobs.listing import ListPage, ListQuery, listing_body
from amlocal.blobs.responses import error_body
from tests.unit.amlocal.blobs.wire import START

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


def blob(name: str, **changes: Any) -> Blob:
    facts = {"content_type": "text/plain", "content_md5": None, "metadata": {}, "chunks": (), **changes}
    return Blob("box", name, 3, "0xAB", START, START, **facts)


def listed(
    *blobs: Blob, folders: tuple[str, ...] = (), query: ListQuery | None = None, metadata: bool = False
) -> ET.Element:
    body = listing_body(
        ListPage(blobs, folders, "next"),
        query or ListQuery(),
        service="https://h/devstore",
        container="box",
        metadata=metadata,
    )
    return ET.fromstring(body)


def name_of(root: ET.Element, path: str) -> str:
    element = root.find(path)
    assert element is not None
    text = element.text or ""
    return unquote(text) if element.get("Encoded") == "true" else text


@given(TEXT)
def test_any_name_comes_back_from_a_listing(name: str) -> None:
    assert name_of(listed(blob(name)), "Blobs/Blob/Name") == name


@given(TEXT)
def test_any_folder_comes_back_from_a_listing(name: str) -> None:
    assert name_of(listed(folders=(name,)), "Blobs/BlobPrefix/Name") == name


@given(TEXT)
def test_what_was_asked_for_is_repeated(name: str) -> None:
    root = listed(query=ListQuery(prefix=name, delimiter=name, marker="bWFyaw==", limit=7))
    assert (name_of(root, "Prefix"), name_of(root, "Delimiter")) == (name, name)
    assert (root.findtext("Marker"), root.findtext("MaxResults")) == ("bWFyaw==", "7")


def test_an_ordinary_name_is_written_as_it_is() -> None:
    element = listed(blob("a <b> & ü")).find("Blobs/Blob/Name")
    assert element is not None
    assert (element.text, element.attrib) == ("a <b> & ü", {})


def test_blobs_and_folders_stand_in_one_order() -> None:
    items = listed(blob("a"), blob("c"), folders=("b/",)).findall("Blobs/*/Name")
    assert [item.text for item in items] == ["a", "b/", "c"]


def test_a_blob_is_listed_with_its_properties() -> None:
    properties = listed(blob("a", content_md5="kAFQmDzST7DWlj99KOF/cg==")).find("Blobs/Blob/Properties")
    assert properties is not None
    assert {item.tag: item.text for item in properties} == {
        "Creation-Time": "Fri, 02 Jan 2026 03:04:05 GMT",
        "Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT",
        "Etag": "0xAB",
        "Content-Length": "3",
        "Content-Type": "text/plain",
        "Content-MD5": "kAFQmDzST7DWlj99KOF/cg==",
        "BlobType": "BlockBlob",
        "AccessTier": "Hot",
        "AccessTierInferred": "true",
        "LeaseStatus": "unlocked",
        "LeaseState": "available",
        "ServerEncrypted": "true",
    }


@pytest.mark.parametrize(("asked", "shown"), [(True, "<&>"), (False, None)])
def test_metadata_is_listed_when_asked_for(asked: bool, shown: str | None) -> None:
    root = listed(blob("a", metadata={"key": "<&>"}), metadata=asked)
    assert root.findtext("Blobs/Blob/Metadata/key") == shown


def test_an_error_reports_code_message_request_and_time() -> None:
    root = ET.fromstring(error_body("BlobNotFound", "There is no <blob>.", request="r", now="t"))
    assert [(item.tag, item.text) for item in root] == [
        ("Code", "BlobNotFound"),
        ("Message", "There is no <blob>.\nRequestId:r\nTime:t"),
    ]


def test_a_block_list_keeps_its_order() -> None:
    body = b"<BlockList><Latest>MQ==</Latest><Committed>Mg==</Committed><Uncommitted>MQ==</Uncommitted></BlockList>"
    assert read_block_list(body) == [
        BlockListEntry(BlockSource.LATEST, "MQ=="),
        BlockListEntry(BlockSource.COMMITTED, "Mg=="),
        BlockListEntry(BlockSource.UNCOMMITTED, "MQ=="),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<BlockList>",
        b"<BlockList><Other>MQ==</Other></BlockList>",
        b'<!DOCTYPE x [<!ENTITY e "MQ==">]><BlockList><Latest>&e;</Latest></BlockList>',
        '<!DOCTYPE x [<!ENTITY e "MQ==">]><BlockList><Latest>&e;</Latest></BlockList>'.encode("utf-16"),
        b"\xff\xfe\x00",
        b"<BlockList " + b" ".join(b"a%d='1'" % number for number in range(200_000)) + b"/>",
        b"<BlockList " + b" " * 2**20,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_block_list_is_refused(body: bytes) -> None:
    with pytest.raises(StorageError, match="block list is not valid") as caught:
        read_block_list(body)
    assert (caught.value.status, caught.value.code) == (400, "InvalidXmlDocument")


def test_a_list_of_more_blocks_than_a_blob_has_is_refused_unread() -> None:
    entry = b"<Latest>MQ==</Latest>"
    assert len(read_block_list(b"<BlockList>" + entry * 50_000 + b"</BlockList>")) == 50_000
    with pytest.raises(StorageError, match="50000 blocks at most") as caught:
        read_block_list(b"<BlockList>" + entry * 50_002 + b"</BlockList>")
    assert (caught.value.status, caught.value.code) == (400, "BlockListTooLong")


@pytest.mark.parametrize("encoding", ["zlib", "base64", "rot13", "utf-7", "idna", "a" * 100])
def test_the_declared_encoding_of_a_block_list_is_not_looked_up(encoding: str) -> None:
    entry = "<BlockList><Latest>MQ==</Latest></BlockList>"
    body = f'<?xml version="1.0" encoding="{encoding}"?>{entry}'.encode()
    assert read_block_list(body) == [BlockListEntry(BlockSource.LATEST, "MQ==")]
