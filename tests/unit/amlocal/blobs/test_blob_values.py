import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlocal.blobs import BlobStore, StorageError
from amlocal.blobs.values import check_blob, check_container, check_metadata
from tests.unit.amlocal.blobs.wire import NAMES


@pytest.mark.parametrize("name", ["abc", "a-1", "x" * 63, "azureml-blobstore-00000000-0000-0000-0000-000000000000"])
def test_azure_takes_these_containers(name: str) -> None:
    check_container(name)


@pytest.mark.parametrize("name", ["", "ab", "x" * 64, "Box", "a--b", "-ab", "ab-", "a_b", "ab\n", "../x"])
def test_azure_takes_no_such_container(name: str) -> None:
    with pytest.raises(StorageError, match="cannot be named"):
        check_container(name)


@pytest.mark.parametrize("name", ["..", "a/../b", "a/..", "a\\..\\b", ".", "a/./b"])
def test_dot_segments_are_refused(name: str) -> None:
    with pytest.raises(StorageError, match="segments are refused") as caught:
        check_blob(name)
    assert (caught.value.status, caught.value.code) == (400, "InvalidUri")


@pytest.mark.parametrize("name", ["", "x" * 1025])
def test_a_name_has_a_length(name: str) -> None:
    with pytest.raises(StorageError, match="1 to 1024"):
        check_blob(name)


@pytest.mark.parametrize("name", ["..a", "a..", "a/...", "/a", "a//b", "a\\b", "a\0b", "x" * 1024])
def test_other_odd_names_are_taken(name: str) -> None:
    check_blob(name)


@pytest.mark.parametrize("pair", [{"": "x"}, {"1a": "x"}, {"a-b": "x"}, {"ä": "x"}, {"a": "x\r\ny"}, {"a": "\u20ac"}])
def test_metadata_that_no_header_can_carry_is_refused(pair: dict[str, str]) -> None:
    with pytest.raises(StorageError) as caught:
        check_metadata(pair)
    assert caught.value.code == "InvalidMetadata"


@given(name=NAMES, content=st.binary(max_size=5))
def test_a_blob_is_found_again_under_any_name(shared: BlobStore, name: str, content: bytes) -> None:
    shared.put_bytes("box", name, content)
    listed = [blob.name for blob in shared.list("box", name) if blob.name == name]
    assert (listed, b"".join(shared.read(shared.require("box", name)))) == ([name], content)
