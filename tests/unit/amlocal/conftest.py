from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.amlocal.asgi import Workspace, open_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(tmp_path / "root") as workspace:
        yield workspace


@pytest.fixture(scope="module")
def shared_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One workspace for all examples of a property, which are content with what others left."""
    with open_workspace(tmp_path_factory.mktemp("shared")) as workspace:
        yield workspace
