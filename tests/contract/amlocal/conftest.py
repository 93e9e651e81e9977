from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.amlocal.asgi import Workspace, open_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace in this process."""
    with open_workspace(tmp_path / "root") as workspace:
        yield workspace
