"""What azure-storage-blob itself sees of the workspace's storage, over TLS on loopback."""

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from azure.core import MatchConditions
from azure.core.credentials import AccessToken
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobBlock, BlobClient, BlobServiceClient, ContainerClient, ContentSettings

from amlocal.app import App
from amlocal.blobs import BlobStore, StorageAccess, chunks, routes
from amlocal.core.context import Context, Identity, random_ids, system_clock
from amlocal.core.database import Database
from amlocal.core.documents import Documents
from amlocal.core.errors import Unauthorized
from amlocal.core.paths import WorkspaceFolder
from amlocal.identity.authority import ensure_certificates

KEY = "c3RvcmFnZSBhY2NvdW50IGtleQ=="
TOKEN = "the-workspace's-token"
MIB = 2**20
NAMES = [
    "plain.txt",
    "folder/deep/er.txt",
    "space and %25 and + and # and ? & ;=@:,$!*'()~",
    "üñí/日本語/\U0001f600",
    "trailing space ",
    "double//slash",
    "back\\slash",
    "ends/",
    "control\x01\x7f\ufffe",
    "new\r\nline\ttab",
]


class Storage:
    """A storage account on loopback, and clients for it as the SDK makes them."""

    def __init__(self, origin: str, bundle: Path, store: BlobStore, access: StorageAccess) -> None:
        self.root = f"{origin}/devstore.blob.core.windows.net"
        self.store = store
        self.access = access
        self._bundle = str(bundle)
        self._clients = ExitStack()
        self.close = self._clients.close

    def sas(self, container: str, permissions: str = "racwdl", **life: float) -> str:
        return self.access.make_sas(container, permissions, datetime.now(UTC) + timedelta(**life or {"hours": 1}))

    def container(self, name: str, credential: Any = None, **options: Any) -> ContainerClient:
        chosen = credential or self.sas(name)
        options = {"connection_verify": self._bundle, "retry_total": 0, **options}
        service = BlobServiceClient(self.root, chosen, **options)
        return self._clients.enter_context(service).get_container_client(name)

    def link(self, url: str) -> BlobClient:
        return self._clients.enter_context(BlobClient.from_blob_url(url, connection_verify=self._bundle))


class Credential:
    """A token credential of azure-core."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken(self._token, int(time.time()) + 3600)


def code(error: Any) -> Any:
    """Return the code that the storage SDK adds to azure-core's errors."""
    return error.error_code


def check(token: str) -> None:
    if token != TOKEN:
        raise Unauthorized("The access token is not one that this workspace signed.")


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    folder = WorkspaceFolder(tmp_path_factory.mktemp("workspace"))
    folder.create()
    ensure_certificates(folder, "blobs", system_clock(), {})
    database = Database(folder.database)
    store = BlobStore(folder.chunks, database, system_clock, random_ids)
    access = StorageAccess("devstore", KEY, system_clock, check)
    listener = socket.create_server(("127.0.0.1", 0))
    origin = f"https://127.0.0.1:{listener.getsockname()[1]}"
    context = Context(Identity("s", "g", "w", random_ids()), origin, Documents(database), system_clock, random_ids)
    ready = threading.Event()

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        ready.set()
        yield

    app: Any = App(context, routes(store, access, clock=system_clock, ids=random_ids), check, lifespan)
    config = uvicorn.Config(app, ssl_certfile=folder.certificate, lifespan="on", ws="none", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    ready.wait(30)
    storage = Storage(origin, folder.bundle, store, access)
    yield storage
    storage.close()  # TLS connections that stay open hold the server's end for half a minute
    server.should_exit = True
    thread.join()
    database.close()


@pytest.fixture
def box(storage: Storage) -> ContainerClient:
    """A container of its own for each test."""
    name = f"box-{random_ids()}"
    storage.store.create_container(name)
    return storage.container(name)


def small_blocks(storage: Storage, box: ContainerClient) -> ContainerClient:
    """Return a client that uploads in blocks what is longer than one MiB."""
    return storage.container(box.container_name, max_single_put_size=MIB, max_block_size=MIB)


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_uploaded_listed_and_downloaded(box: ContainerClient, name: str) -> None:
    box.upload_blob(name, name.encode())
    assert [blob.name for blob in box.list_blobs()] == [name]
    assert box.download_blob(name).readall() == name.encode()


def test_a_blob_keeps_its_settings_and_metadata(box: ContainerClient) -> None:
    settings = ContentSettings(content_type="text/csv")
    box.upload_blob("a", b"1,2", metadata={"one": "1"}, content_settings=settings)
    found = box.get_blob_client("a").get_blob_properties()
    assert (found.size, found.metadata, found.content_settings.content_type) == (3, {"one": "1"}, "text/csv")
    assert found.blob_type == "BlockBlob"


def test_a_blob_is_not_overwritten_unasked(box: ContainerClient) -> None:
    box.upload_blob("a", b"old")
    with pytest.raises(ResourceExistsError, match="already exists") as caught:
        box.upload_blob("a", b"new")
    assert code(caught.value) == "BlobAlreadyExists"
    box.upload_blob("a", b"new", overwrite=True)
    assert box.download_blob("a").readall() == b"new"


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_long_file_goes_up_in_blocks_and_comes_down_in_ranges(
    storage: Storage, box: ContainerClient, tmp_path: Path, concurrency: int
) -> None:
    path = tmp_path / "long"
    path.write_bytes(os.urandom(5 * MIB + 123))
    client = storage.container(
        box.container_name, max_single_put_size=MIB, max_block_size=MIB, max_single_get_size=MIB, max_chunk_get_size=MIB
    )
    with path.open("rb") as file:
        client.upload_blob("long", file, max_concurrency=concurrency, metadata={"k": "v"})
    assert client.download_blob("long", max_concurrency=concurrency).readall() == path.read_bytes()
    blob = storage.store.require(box.container_name, "long")
    assert (len(blob.chunks), blob.metadata) == (6, {"k": "v"})


def test_a_long_file_does_not_overwrite_unasked(storage: Storage, box: ContainerClient) -> None:
    box.upload_blob("a", b"old")
    with pytest.raises(ResourceExistsError):
        small_blocks(storage, box).upload_blob("a", bytes(2 * MIB + 1))
    assert box.download_blob("a").readall() == b"old"


def test_validated_content_goes_up_and_comes_down(storage: Storage, box: ContainerClient) -> None:
    content = os.urandom(2 * MIB + 5)
    small_blocks(storage, box).upload_blob("a", content, validate_content=True)
    box.upload_blob("b", content, validate_content=True)
    assert box.download_blob("a", validate_content=True).readall() == content
    assert box.download_blob("b", validate_content=True).readall() == content


@pytest.mark.parametrize(("offset", "length"), [(0, 1), (3, 4), (8, 100), (9, None)])
def test_a_part_is_downloaded(box: ContainerClient, offset: int, length: int | None) -> None:
    box.upload_blob("a", b"0123456789")
    expected = b"0123456789"[offset : None if length is None else offset + length]
    assert box.download_blob("a", offset=offset, length=length).readall() == expected


def test_an_empty_blob_is_downloaded(box: ContainerClient) -> None:
    box.upload_blob("a", b"")
    assert box.download_blob("a").readall() == b""


def test_a_part_behind_the_end_is_an_error(box: ContainerClient) -> None:
    box.upload_blob("a", b"abc")
    with pytest.raises(HttpResponseError) as caught:
        box.download_blob("a", offset=3, length=1)
    assert (caught.value.status_code, code(caught.value)) == (416, "InvalidRange")


def test_a_download_notices_that_the_blob_was_replaced(storage: Storage, box: ContainerClient) -> None:
    client = storage.container(box.container_name, max_single_get_size=4, max_chunk_get_size=4)
    client.upload_blob("a", b"0123456789")
    download = client.download_blob("a")
    client.upload_blob("a", b"abcdefghij", overwrite=True)
    with pytest.raises(ResourceModifiedError):
        download.readall()


def test_names_are_listed_in_pages_and_as_folders(box: ContainerClient) -> None:
    for name in ("a", "m/1", "m/2", "m2/x", "z"):
        box.upload_blob(name, b"", metadata={"of": "x"})
    assert [blob.name for blob in box.list_blobs(results_per_page=2)] == ["a", "m/1", "m/2", "m2/x", "z"]
    assert [blob.name for blob in box.list_blobs(name_starts_with="m", results_per_page=1)] == ["m/1", "m/2", "m2/x"]
    # The SDK puts the folders of a page before its blobs.
    assert [entry.name for entry in box.walk_blobs(results_per_page=2)] == ["m/", "a", "m2/", "z"]
    assert [entry.name for entry in box.walk_blobs("m/")] == ["m/1", "m/2"]
    assert list(box.list_blob_names(name_starts_with="m2")) == ["m2/x"]
    assert [blob.metadata for blob in box.list_blobs(name_starts_with="z", include="metadata")] == [{"of": "x"}]


def test_metadata_is_set_under_a_condition(box: ContainerClient) -> None:
    blob = box.upload_blob("a", b"")
    etag = blob.get_blob_properties().etag
    blob.set_blob_metadata({"upload_status": "completed"})
    assert blob.get_blob_properties().metadata == {"upload_status": "completed"}
    with pytest.raises(ResourceModifiedError):
        blob.set_blob_metadata({}, etag=etag, match_condition=MatchConditions.IfNotModified)


def test_a_blob_is_deleted(box: ContainerClient) -> None:
    box.upload_blob("a", b"")
    box.delete_blob("a")
    assert not box.get_blob_client("a").exists()
    with pytest.raises(ResourceNotFoundError, match="no blob 'a'") as caught:
        box.download_blob("a")
    assert code(caught.value) == "BlobNotFound"


def test_an_unknown_block_is_an_error(box: ContainerClient) -> None:
    blob = box.get_blob_client("a")
    blob.stage_block("1", b"one")
    with pytest.raises(HttpResponseError) as caught:
        blob.commit_block_list([BlobBlock("1"), BlobBlock("2")])
    assert code(caught.value) == "InvalidBlockList"


def test_what_is_not_served_is_named(box: ContainerClient) -> None:
    blob = box.upload_blob("a", b"")
    with pytest.raises(HttpResponseError, match="comp=snapshot") as caught:
        blob.create_snapshot()
    assert caught.value.status_code == 501


def test_the_account_key_opens_every_container(storage: Storage) -> None:
    name = f"box-{random_ids()}"
    box = storage.container(name, KEY)
    box.create_container()
    box.upload_blob("a b/ü+%", b"abc", metadata={"upload_status": "x", "name": "y"})
    assert [blob.name for blob in box.list_blobs(name_starts_with="a b/ü+")] == ["a b/ü+%"]
    assert (box.exists(), box.download_blob("a b/ü+%").readall()) == (True, b"abc")
    with pytest.raises(ResourceExistsError):
        box.create_container()


def test_another_key_opens_none(storage: Storage, box: ContainerClient) -> None:
    outsider = storage.container(box.container_name, "b3RoZXIga2V5")
    with pytest.raises(ClientAuthenticationError) as caught:
        outsider.upload_blob("a", b"x" * MIB)
    assert (caught.value.status_code, code(caught.value)) == (403, "AuthenticationFailed")


def test_a_token_opens_every_container_unless_it_is_refused(storage: Storage, box: ContainerClient) -> None:
    storage.container(box.container_name, Credential(TOKEN)).upload_blob("a", b"abc")
    with pytest.raises(ClientAuthenticationError, match="not one that this workspace signed"):
        storage.container(box.container_name, Credential("stale")).download_blob("a")


def test_a_signature_ends_and_says_so(storage: Storage, box: ContainerClient) -> None:
    ended = storage.container(box.container_name, storage.sas(box.container_name, hours=-1))
    with pytest.raises(ClientAuthenticationError, match="the SAS expired at"):
        ended.upload_blob("a", b"abc")


def test_a_signature_allows_what_it_grants(storage: Storage, box: ContainerClient) -> None:
    box.upload_blob("a", b"abc")
    reader = storage.container(box.container_name, storage.sas(box.container_name, "r"))
    assert reader.download_blob("a").readall() == b"abc"
    with pytest.raises(HttpResponseError, match="needs the permission w or c") as caught:
        reader.upload_blob("a", b"x" * MIB, overwrite=True)
    assert code(caught.value) == "AuthorizationPermissionMismatch"


def test_a_signed_link_opens_one_blob(storage: Storage, box: ContainerClient) -> None:
    box.upload_blob("user_logs/std log.txt", b"hello")
    origin = storage.root.rpartition("/")[0]
    soon = datetime.now(UTC) + timedelta(minutes=1)
    link = storage.access.sign_url(origin, box.container_name, "user_logs/std log.txt", soon)
    assert storage.link(link).download_blob().readall() == b"hello"


def test_a_full_disk_is_reported_at_once_and_not_tried_again(
    storage: Storage, box: ContainerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    class Full(FileIO):
        def write(self, _: Any) -> int:
            tried.append(self.name)
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(chunks, "FileIO", Full)
    patient = storage.container(box.container_name, retry_total=3)
    with pytest.raises(HttpResponseError, match="No space left on the disk") as caught:
        patient.upload_blob("a", b"x" * MIB)
    assert (len(tried), caught.value.status_code, storage.store.get(box.container_name, "a")) == (1, 413, None)


_WRITER = """
import itertools, sys
from pathlib import Path
from amlocal.blobs import BlobStore
from amlocal.core.context import random_ids, system_clock
from amlocal.core.database import Database

folder = Path(sys.argv[1])
store = BlobStore(folder / "chunks", Database(folder / "workspace.db"), system_clock, random_ids)
store.create_container("box")
for number in itertools.count():
    store.put_bytes("box", str(number), b"%d" % number * 50_000)
    print(number, flush=True)
"""


def test_a_killed_writer_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(50)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in writer.stdout if line.endswith("\n")]
    database = Database(tmp_path / "workspace.db")
    store = BlobStore(tmp_path / "chunks", database, system_clock, random_ids)
    for number in acknowledged:
        assert b"".join(store.read(store.require("box", str(number)))) == b"%d" % number * 50_000
    database.close()
