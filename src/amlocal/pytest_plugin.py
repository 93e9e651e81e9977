"""The pytest plugin of amlocal: a local workspace as a fixture."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # every pytest run of the environment loads this file
    from amlocal.testing import LocalWorkspace


@pytest.fixture(scope="session")
def local_workspace() -> "Iterator[LocalWorkspace]":
    """A workspace of the session's own, on a free port and in a temporary folder; this process is led to it."""
    from amlocal import testing  # noqa: PLC0415

    with testing.local_workspace() as workspace, testing.use(workspace):
        yield workspace
