"""The workspace under test: that of an environment, looked at as it is, or a local one of the run's own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mlgates.core.errors import MlgatesError
from mlgates.pytest_plugin.failure_sections import UnderTest

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

    from mlgates.config.settings import Settings


@pytest.fixture(scope="session")
def mlgates_settings(pytestconfig: pytest.Config) -> "Settings":
    """The settings of the environment under test."""
    # Imported here, as in all fixtures: most runs use none of them.
    from mlgates.config.project import find_project  # noqa: PLC0415
    from mlgates.config.settings import load_settings  # noqa: PLC0415

    environment = pytestconfig.getoption("--mlgates-env") or "local"
    return load_settings(find_project(pytestconfig.rootpath), environment, environ=os.environ)


@pytest.fixture(scope="session")
def mlgates_own_workspace(pytestconfig: pytest.Config) -> bool:
    """True when the workspace is the run's own and tests may change it; one of `--mlgates-env` is left as it is."""
    return pytestconfig.getoption("--mlgates-env") is None


@pytest.fixture(scope="session")
def mlgates_local_root(
    pytestconfig: pytest.Config, mlgates_own_workspace: bool, tmp_path_factory: pytest.TempPathFactory
) -> Path | None:
    """The folder of local workspaces: of `--mlgates-local-root`, or temporary; None for the project's `.amlocal`."""
    if named := pytestconfig.getoption("--mlgates-local-root"):
        return Path(pytestconfig.invocation_params.dir, named).absolute()
    return tmp_path_factory.mktemp("amlocal") if mlgates_own_workspace else None


@pytest.fixture(scope="session")
def mlgates_workspace(
    pytestconfig: pytest.Config,
    mlgates_settings: "Settings",
    mlgates_own_workspace: bool,
    mlgates_local_root: Path | None,
) -> Iterator["MLClient"]:
    """A client of the workspace under test.

    Without `--mlgates-env` it is a local one of the run's own: new, and gone with the session, unless
    `--mlgates-local-root` names the folder where it stays, up. Each worker of pytest-xdist has one of its own.
    """
    from mlgates.delivery.connection import connect, local_workspace  # noqa: PLC0415

    with _environment_kept():
        try:
            with without_traceback():
                client = connect(mlgates_settings, local_root=mlgates_local_root)
            UnderTest.of(pytestconfig).workspace = mlgates_settings
            yield client
        finally:
            if mlgates_own_workspace and pytestconfig.getoption("--mlgates-local-root") is None:
                local_workspace(mlgates_settings, mlgates_local_root).stop()


@contextmanager
def without_traceback() -> Iterator[None]:
    """Fail with the message of an `MlgatesError` and no traceback: it says what, where and the way out."""
    try:
        yield
    except MlgatesError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@contextmanager
def _environment_kept() -> Iterator[None]:
    """Give the process its environment variables back: connecting sets those of a local workspace."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
