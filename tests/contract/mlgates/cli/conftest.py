"""The command line, the project and the workspace in memory that the unit tests have, for commands that ask git."""

from tests.unit.mlgates.cli.conftest import mlgates
from tests.unit.mlgates.conftest import client, project, settings, workspace

__all__ = ["client", "mlgates", "project", "settings", "workspace"]
