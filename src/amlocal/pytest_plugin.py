"""The pytest plugin of amlocal: a local workspace as a fixture."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # every pytest run of the environment loads this file
    from amlocal.testing import LocalWorkspace


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the setting `amlocal_lenient` from the project's configuration of pytest."""
    parser.addini(
        "amlocal_lenient", "Have local_workspace take some of what Azure refuses.", type="bool", default=False
    )


@pytest.fixture(scope="session")
def amlocal_workspace(pytestconfig: pytest.Config) -> "Iterator[LocalWorkspace]":
    """A workspace of the session's own, on a free port and in a temporary folder; this process is led to it.

    It refuses what Azure refuses, unless the project sets `amlocal_lenient = true` for pytest.
    """
    from amlocal import testing  # noqa: PLC0415

    with testing.local_workspace(lenient=pytestconfig.getini("amlocal_lenient")) as workspace, testing.use(workspace):
        yield workspace
