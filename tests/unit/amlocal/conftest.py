import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.amlocal.asgi import Workspace, open_workspace


@pytest.fixture(scope="session")
def new_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a workspace just made: to copy it takes a third of the time that making one does."""
    root = tmp_path_factory.mktemp("new") / "root"
    with open_workspace(root):
        pass
    return root


@pytest.fixture
def workspace(new_root: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace of the test's own."""
    shutil.copytree(new_root, tmp_path / "root")
    with open_workspace(tmp_path / "root") as workspace:
        yield workspace


@pytest.fixture(scope="module")
def shared_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One workspace for all examples of a property, which are content with what others left."""
    with open_workspace(tmp_path_factory.mktemp("shared")) as workspace:
        yield workspace
