from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.amlocal.jobs.desk import Desk, open_desk
from tests.unit.amlocal.jobs.front import Front


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_desk(tmp_path / "workspace") as desk:
        yield desk


@pytest.fixture(scope="module")
def shared_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One desk for all examples of a property, which are content with what others left."""
    with open_desk(tmp_path_factory.mktemp("shared")) as desk:
        yield desk


@pytest.fixture
def front(desk: Desk) -> Iterator[Front]:
    front = Front(desk)
    yield front
    front.close()
