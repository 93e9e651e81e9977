"""A blob store, and calls."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from amlocal.blobs import BlobStore
from amlocal.core.context import random_ids, system_clock
from amlocal.core.database import Database
from amlocal.core.http import Call

MakeCall = Callable[..., Call]


@pytest.fixture
def blobs(tmp_path: Path) -> Iterator[BlobStore]:
    database = Database(tmp_path / "workspace.db")
    store = BlobStore(tmp_path / "chunks", database, system_clock, random_ids)
    store.create_container("azureml")
    yield store
    database.close()


@pytest.fixture
def make_call() -> MakeCall:
    """Build a call of a method and a target; keyword arguments fill in the rest."""

    def build(method: str, target: str, *, content: bytes = b"", **more: dict[str, str]) -> Call:
        async def stream() -> AsyncIterator[bytes]:
            for start in range(0, len(content), 3):
                yield content[start : start + 3]

        path, query, headers = (more.get(part, {}) for part in ("path", "query", "headers"))
        url = f"https://127.0.0.1:1{target}"
        return Call(method, target, url, path, query, headers, stream=stream, content=content)

    return build
