from collections.abc import Iterator
from pathlib import Path

import pytest

from amlocal.blobs import BlobStore
from amlocal.core.database import Database
from tests.unit.amlocal.blobs.wire import CountingIds, ManualClock, Wire


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "workspace.db")
    yield database
    database.close()


@pytest.fixture
def store(tmp_path: Path, database: Database, clock: ManualClock) -> BlobStore:
    store = BlobStore(tmp_path / "blobs", database, clock, CountingIds())
    store.create_container("box")
    return store


@pytest.fixture
def wire(store: BlobStore, clock: ManualClock) -> Wire:
    return Wire(store, clock)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlobStore]:
    """One store with the container `box` for all examples of a property, which are content with what others left."""
    folder = tmp_path_factory.mktemp("shared")
    database = Database(folder / "workspace.db")
    store = BlobStore(folder / "blobs", database, ManualClock(), CountingIds())
    store.create_container("box")
    yield store
    database.close()
