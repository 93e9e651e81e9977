from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlgates.cli.app import app
from mlgates.config.project import Project
from mlgates.config.settings import Settings
from tests.unit.mlgates.fake_workspace import FakeWorkspace

Command = Callable[..., Result]


@pytest.fixture
def mlgates(project: Project, workspace: FakeWorkspace) -> Command:
    """The command line, in the test's project, led to the workspace in memory."""

    def run(*words: str, connector: Callable[[Settings], Any] = lambda settings: workspace) -> Result:
        return CliRunner().invoke(app, [*words, "--project", str(project.root)], obj=connector)

    return run
